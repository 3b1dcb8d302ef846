import { diskKind } from './disk/disk-kind.ts';

/** A disk that remembers the past. */
export const diskStale = diskKind({
  kind: 'disk.stale',
  summary: 'Lets reads return what was there when the fault began.',
  doc: `Matching reads return the bytes that were there when the fault began, whatever was written
since; file sizes are true. What a failing cache of a drive or a replica of a network disk shows.

**What a Kafka user sees.** Records that were acknowledged while it stands read as what was there
before (zeros, in a file that was allocated) wherever they are read from the disk and not from the
page cache; when it ends they are there again.

**What it does not do.** What was appended since lies beyond the old end and reads as zeros there,
not as the end of the file.`,
  colour: '#5f6368',
  examples: [
    {
      title: 'the records of one topic-partition',
      params: { preset: 'log', topicPartitions: ['orders-0'] },
    },
  ],
  draw: () => ({ preset: 'log' }),
});
