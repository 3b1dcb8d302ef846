import { diskKind } from './disk/disk-kind.ts';

/** A disk with a limit. */
export const diskRate = diskKind({
  kind: 'disk.rate',
  summary: 'Limits bytes and operations a second of matching files.',
  doc: `Matching requests wait their turn so that no more than \`bytesPerSecond\` and
\`operationsPerSecond\` are carried out: one limit for all files that match together. Without
\`match.op\` it means reads, writes and syncs.

**What a Kafka user sees.** What a volume with a cap on throughput or IOPS shows (gp2 out of
credits, a noisy neighbour): produce latency grows with the load, followers on such a disk fall
behind, catching up takes for ever, and a broker that recovers its logs takes longer than anybody
allows.

**What it does not do.** Reads from the page cache cost nothing. There are no bursts to be saved up.`,
  colour: '#c26401',
  examples: [
    { title: 'two megabytes a second', params: { bytesPerSecond: 2_000_000 } },
    {
      title: 'fifty operations a second on the records',
      params: { operationsPerSecond: 50, preset: 'log' },
    },
  ],
  draw: (random) => ({ bytesPerSecond: random.between(1, 20) * 100_000, preset: 'log' }),
});
