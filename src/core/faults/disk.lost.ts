import { diskKind } from './disk/disk-kind.ts';

/** A write that never happened. */
export const diskLost = diskKind({
  kind: 'disk.lost',
  summary: 'Drops matching writes and tells the writer that they were done.',
  doc: `A matching write is acknowledged and not carried out. Beyond the end of a file the next
write leaves a hole of zeros, as a file system with delayed allocation does.

**What a Kafka user sees.** A leader that has acknowledged records it does not have: its consumers
find zeros or an old batch in their place and stop at a wrong checksum; followers that fetched
before it was lost have them. A lost checkpoint or index entry shows at the next start only.

**What it does not do.** An fsync afterwards succeeds and changes nothing: the write is gone.`,
  colour: '#a50e0e',
  examples: [
    { title: 'one append is lost', params: { preset: 'log', when: { skip: 10, count: 1 } } },
  ],
  draw: (random) => ({
    preset: 'log',
    when: { skip: random.between(0, 100), count: random.between(1, 3) },
  }),
});
