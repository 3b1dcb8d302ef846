import { diskKind } from './disk/disk-kind.ts';

/** A sync that is none. */
export const diskFsync = diskKind({
  kind: 'disk.fsync',
  summary: 'Lets fsync do nothing, or fail and lose what was not synced.',
  doc: `\`ignored\`: fsync says that it worked and did nothing, as a drive with a lying cache does;
what is unsynced stays known, and a power cut loses it. \`fails\`: fsync returns \`errno\` (default
EIO), and what was unsynced is gone from the disk; with \`when: { count: 1 }\` the next one
succeeds, as it does on Linux. \`after\` says what a reader finds then: with \`ext4\` and \`xfs\`
still the new data, from the page cache, until it is evicted; with \`btrfs\` the old.

**What a Kafka user sees.** Brokers rarely fsync records (when a segment is full, and at a clean
stop). Tried on a broker of 4.1.0: all sends succeed until a segment is full; then "Error while
flushing log" in the background takes the log directory offline, producers get KAFKA_STORAGE_ERROR,
and the broker must be started again, without what the failed sync had not made durable. The
msync of an index is an exception nobody handles: "Uncaught exception in scheduled task
'flush-log'", and the directory stays online. \`ignored\` shows nothing at all until the power
fails.

**What it does not do.** It does not make anything fail that is never synced.`,
  colour: '#12805c',
  examples: [
    {
      title: 'a sync fails once, as on ext4',
      params: { how: 'fails', preset: 'log', when: { count: 1 } },
    },
    { title: 'syncs are ignored', params: { how: 'ignored' } },
  ],
  draw: (random) => ({ how: random.pick(['ignored', 'fails'] as const), preset: 'log' }),
});
