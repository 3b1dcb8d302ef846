import { diskKind } from './disk/disk-kind.ts';

/** A disk that answers with an error. */
export const diskError = diskKind({
  kind: 'disk.error',
  summary: 'Lets requests to matching files fail with an errno.',
  doc: `The file system that \`faultline mount\` shows answers matching requests with \`errno\` (or
one of a weighted list), also of files that are open, cached or mapped already. Without \`match.op\`
it means reads, writes and syncs.

**What a Kafka user sees** depends less on the errno than on the file and the operation. Tried on
brokers of 4.1.0 with two log directories, one of them failing with EIO. *Offline* is what Kafka does
to a log directory after an error it knows: producers get KAFKA_STORAGE_ERROR, the topic-partitions in it
have no leader (or another), the other directory is served on, and it stays so after the fault has ended,
until the broker is started again. With the last log directory the broker stops.

- \`log\`, writes: offline at the first append. Fsyncs: offline when a segment is full.
- \`log\`, reads: online. Consumers of what is not in the page cache get nothing, a look for a time or an
  append that begins a segment UNKNOWN_SERVER_ERROR; all is well when the fault ends.
- \`index\` and \`timeindex\`, reads: online, and broken. A mapped page that can't be read is a SIGBUS,
  which the JVM makes an InternalError wherever it happens to be; producers get UNKNOWN_SERVER_ERROR, with
  \`index\` also after the fault has ended ("Attempt to append an offset ... no larger than the last offset
  appended"). Start the broker again.
- \`index\` and \`timeindex\`, writes and fsyncs: online. Writing back a mapped page fails in the background
  ("Uncaught exception in scheduled task 'flush-log'", "msync with parameter MS_SYNC failed"); all sends
  succeed.
- \`checkpoints\`: offline within seconds, without any load ("Error while writing to checkpoint file").
- \`snapshots\`: offline when a segment is full and its snapshot can't be made.
- \`txnindex\`: offline at the first aborted transaction.
- \`quorum-state\`: nothing until the next vote or start; then the controller can't write its vote ("Error
  while writing the Quorum status"), and the process ends.
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
