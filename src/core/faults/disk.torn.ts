import { diskKind } from './disk/disk-kind.ts';

/** A write that is half there. */
export const diskTorn = diskKind({
  kind: 'disk.torn',
  summary: 'Lets only some sectors of matching writes reach the disk.',
  doc: `Of a matching write only the first, the last or some of its sectors arrive; the writer is
told that all of it did. Where it lies beyond the end of the file, the file grows all the same and
the rest reads as zeros.

**What a Kafka user sees.** A batch whose checksum is wrong, in the middle of a log that was
acknowledged: its consumers stop there, and followers that had it already keep the right bytes.
After an unclean restart recovery cuts the log off at that batch, and all that came after it is gone
from this replica.

**What it does not do.** The page cache of the writer is dropped, so that it reads what is on the
disk.`,
  colour: '#8430ce',
  examples: [
    { title: 'one append is half there', params: { preset: 'log', when: { count: 1 } } },
    {
      title: 'some sectors of one write in a hundred',
      params: { keep: 'random', sectorBytes: 4096, when: { probability: '1%' } },
    },
  ],
  draw: (random) => ({
    keep: random.pick(['prefix', 'suffix', 'random'] as const),
    preset: 'log',
    when: { count: random.between(1, 3) },
  }),
});
