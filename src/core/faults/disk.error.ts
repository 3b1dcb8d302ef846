import { diskKind } from './disk/disk-kind.ts';

/** A disk that answers with an error. */
export const diskError = diskKind({
  kind: 'disk.error',
  summary: 'Lets requests to matching files fail with an errno.',
  doc: `The file system that \`faultline mount\` shows answers matching requests with \`errno\` (or
one of a weighted list), also of files that are open, cached or mapped already. Without \`match.op\`
it means reads, writes and syncs.

**What a Kafka user sees** depends less on the errno than on the file and the operation. Tried on
brokers with two log directories, one of them failing:

- \`log\`, writes and fsyncs: the log directory goes offline at once (fsyncs: when a segment is full)
  and stays so after the fault, until the broker is started again. Topic-partitions in the other
  directory are served on. With the last log directory the broker stops.
- \`log\`, reads: the directory stays online and the broker leader; consumers of what is not in the page
  cache get nothing, and all is well when the fault ends.
- \`index\`, reads: a mapped page that can't be read is a SIGBUS, and the JVM makes it an InternalError
  wherever it happens to be: requests that hang, a broker that stays up without working. It needs a kill.
- \`index\`, writes and fsyncs: writing back a mapped page fails in a background task ("Uncaught
  exception in scheduled task 'flush-log'"); nothing goes offline, and producing goes on.
- \`quorum-state\`: nothing until the next vote or start; then the controller can't write its vote
  ("Error while writing the Quorum status"), and the process ends with a fatal fault.
- \`metadata-log\`, writes: "Unexpected error in raft IO thread", and the process ends.

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
