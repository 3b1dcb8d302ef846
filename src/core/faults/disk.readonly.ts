import { diskKind } from './disk/disk-kind.ts';

/** A disk that takes nothing. */
export const diskReadonly = diskKind({
  kind: 'disk.readonly',
  summary: 'Lets everything that changes a file fail with EROFS.',
  doc: `What writes, creates, renames or removes fails with EROFS, also through files that are open;
reading goes on. File systems do this to themselves after an error ("Remounting filesystem
read-only").

**What a Kafka user sees.** The next append or checkpoint takes the log directory offline until the
broker is started again, within the minute even without load, because checkpoints are written all
the time. On such a disk a broker does not start.

**What it does not do.** The mount's flags do not change: \`mount\` shows it as writable.`,
  colour: '#1967d2',
  examples: [{ title: 'the whole file system', params: {} }],
  draw: () => ({}),
});
