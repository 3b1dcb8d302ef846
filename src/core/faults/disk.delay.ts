import { diskKind } from './disk/disk-kind.ts';

/** A disk that is slow. */
export const diskDelay = diskKind({
  kind: 'disk.delay',
  summary: 'Delays requests to matching files.',
  doc: `Holds matching requests for \`latency\` (fixed, uniform, normal or pareto, and so much more
for every MiB), then carries them out. Nobody else waits: other requests go on beside them. When the
fault ends they are carried out at once; a caller that is killed goes away at once. Without
\`match.op\` it means reads, writes and syncs.

**What a Kafka user sees.** A gray failure: a broker whose appends take seconds answers produce
requests late or after the client's timeout, holds its request threads, and says nothing in its log;
its log directory stays online and its leaders stay where they are (tried on a broker of 4.1.0 with
2 s for each append: of a producer with a timeout of 4 s, one send succeeded and all later ones timed
out; with 20 ms for everything, all succeeded). Followers that fetch from it are
not slow, followers that are slow leave the ISR after \`replica.lag.time.max.ms\`.

**What it does not do.** Reads from the page cache are not delayed, as on a real disk. Writes
through mapped memory (indexes) are delayed when the kernel writes them back, which nobody waits
for.`,
  colour: '#e8710a',
  examples: [
    {
      title: 'every append takes two seconds',
      params: { latency: { fixed: '2s' }, preset: 'log', match: { op: ['write'] } },
    },
    {
      title: 'slow fsyncs with a long tail',
      params: { latency: { pareto: { minimum: '20ms', shape: 1.2 } }, match: { op: ['sync'] } },
    },
  ],
  draw: (random) => ({
    latency: { uniform: { from: '10ms', to: `${random.between(1, 30) * 100}ms` } },
    preset: 'log',
    match: { op: [random.pick(['write', 'sync'] as const)] },
  }),
});
