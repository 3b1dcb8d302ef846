import { diskKind } from './disk/disk-kind.ts';

/** A write in the wrong place. */
export const diskMisdirected = diskKind({
  kind: 'disk.misdirected',
  summary: 'Lets matching writes land elsewhere in the same file.',
  doc: `A matching write lands \`shiftBytes\` away from where it was meant to, over what is there;
where it was meant to land nothing changes. The writer is told that all went well.

**What a Kafka user sees.** Two damages from one write: a hole where the batch should be, and an
older batch that was right before and is not any more, acknowledged long ago and perhaps fsynced.

**What it does not do.** It stays in the file, and what would land before its beginning is dropped.`,
  colour: '#6a1b9a',
  examples: [
    {
      title: 'one append lands 4 KiB too early',
      params: { shiftBytes: -4096, preset: 'log', when: { count: 1 } },
    },
  ],
  draw: (random) => ({
    shiftBytes: -4096 * random.between(1, 16),
    preset: 'log',
    when: { count: 1 },
  }),
});
