import { diskKind } from './disk/disk-kind.ts';

/** A disk that takes nothing. */
export const diskReadonly = diskKind({
  kind: 'disk.readonly',
  summary: 'Lets everything that changes a file fail with EROFS.',
  doc: `What writes, creates, renames or removes fails with EROFS, also through files that are open;
reading goes on. File systems do this to themselves after an error ("Remounting filesystem
read-only").

**What a Kafka user sees.** Tried on a broker of 4.1.0 with two log directories: the first append
fails ("java.io.IOException: Read-only file system"), producers get KAFKA_STORAGE_ERROR, the
topic-partitions in it have no leader (or another), and the other directory is served on. It stays
offline after the fault has ended, until the broker is started again. Without load it is the next
checkpoint, within the minute. On such a disk a broker does not start.

**What it does not do.** The mount's flags do not change: \`mount\` shows it as writable.`,
  colour: '#1967d2',
  examples: [{ title: 'the whole file system', params: {} }],
  draw: () => ({}),
});
