import { diskKind } from './disk/disk-kind.ts';

/** A disk that is not there. */
export const diskGone = diskKind({
  kind: 'disk.gone',
  summary: 'Lets everything fail with EIO, as after a disk was pulled out.',
  doc: `Every operation on the file system fails with \`errno\` (default EIO), also on files that
are open, cached or mapped, until the fault ends; then all is there as it was.

**What a Kafka user sees.** Tried on a broker of 4.1.0 with two log directories: producers get
UNKNOWN_SERVER_ERROR ("Error processing append operation", an IOException that nobody takes for the
disk's), and the topic-partitions keep their leader, until the next checkpoint, within seconds,
takes the log directory offline; the other directory is served on. Where an index is touched first,
the mapped memory answers with SIGBUS, and the broker throws InternalError in whatever thread it
was: it may stay up without working. With the last log directory, or the one with the metadata log,
it stops.

**What it does not do.** The mount stays: no unmount, no ENOTCONN (that is what kill -9 of the
file-system process gives).`,
  colour: '#3c4043',
  examples: [{ title: 'the whole disk', params: {} }],
  draw: () => ({}),
});
