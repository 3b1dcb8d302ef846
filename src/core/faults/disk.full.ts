import { diskKind } from './disk/disk-kind.ts';

/** A disk without room. */
export const diskFull = diskKind({
  kind: 'disk.full',
  summary: 'Leaves so much room on the file system and no more.',
  doc: `From now on \`freeBytes\` (default 0) can be written and \`freeInodes\` (default: any
number) created, then ENOSPC or EDQUOT is what comes; \`df\` shows the same. What is deleted,
replaced or emptied makes room again. Nothing is really filled: the disk below has as much room as
before. A hit is what was refused, in whole or in part, and \`df\`.

**What a Kafka user sees.** Tried on a broker of 4.1.0 with two log directories: the first append
that finds no room ("java.io.IOException: No space left on device") takes the log directory offline,
and with it all its topic-partitions: KAFKA_STORAGE_ERROR, no leader (or another), and the other
directory is served on; with the last directory the broker stops. Room that comes back changes
nothing: the directory stays offline until the broker is started again. A broker that starts on a
full disk may not come up.

**What it does not do.** Overwriting what is there needs no room. Writes through mapped memory to
what a file already has (indexes are allocated in advance) do not fail; on a real disk they may, by
SIGBUS.`,
  colour: '#f9ab00',
  examples: [
    { title: 'no room at all', params: {} },
    { title: 'ten more megabytes, a quota', params: { freeBytes: 10_000_000, errno: 'EDQUOT' } },
  ],
  draw: (random) => ({
    freeBytes: random.between(0, 20) * 1_000_000,
    errno: random.pick(['ENOSPC', 'EDQUOT'] as const),
  }),
});
