import { diskKind } from './disk/disk-kind.ts';

/** A disk that answers with an error. */
export const diskError = diskKind({
  kind: 'disk.error',
  summary: 'Lets requests to matching files fail with an errno.',
  doc: `The file system that \`faultline mount\` shows answers matching requests with \`errno\` (or
one of a weighted list), also of files that are open, cached or mapped already. Without \`match.op\`
it means reads, writes and syncs.

**What a Kafka user sees** depends less on the errno than on the file and the operation. A failed
write, fsync or creation below a log directory takes that directory offline until the broker is
started again; a failed read of records does not: the broker stays leader and its consumers get
nothing. A failed read of a mapped index is a SIGBUS, which the JVM turns into an InternalError
wherever it happens to be.

**What it does not do.** Probabilities and counts of reads are of what reaches the disk: misses of
the page cache, with readahead. It needs a file system of ours below the log directory, mounted
before the broker started.`,
  colour: '#d93025',
  examples: [
    {
      title: 'writes to the records fail',
      params: { errno: 'EIO', preset: 'log', match: { op: ['write'] } },
    },
    {
      title: 'one fsync in ten of one topic-partition',
      params: {
        errno: 'EIO',
        preset: 'log',
        topicPartitions: ['orders-0'],
        match: { op: ['fsync'] },
        when: { probability: '10%' },
      },
    },
    {
      title: 'the first three creations of any file',
      params: {
        errno: [
          { errno: 'ENOSPC', weight: 3 },
          { errno: 'EDQUOT', weight: 1 },
        ],
        match: { op: ['create'] },
        when: { count: 3 },
      },
    },
  ],
  draw: (random) => ({
    errno: random.pick(['EIO', 'ENOSPC']),
    preset: 'log',
    match: { op: [random.pick(['write', 'fsync', 'read'])] },
  }),
});
