import { diskKind } from './disk/disk-kind.ts';

/** A disk that does not answer. */
export const diskStall = diskKind({
  kind: 'disk.stall',
  summary: 'Holds requests to matching files until the fault ends.',
  doc: `Matching requests are not answered as long as the fault stands, as on a device that hangs or
a network file system without its server; then all are carried out. A caller that is killed goes
away at once. Without \`match.op\` it means reads, writes and syncs.

**What a Kafka user sees.** Request threads of the broker block one after the other, until it
answers nobody; its heartbeats go on, because they need no disk, so the controller sees a healthy
broker that leads and does not work. Producers time out; followers leave the ISR.

**What it does not do.** It gives no error: nothing goes offline. Writes held beyond 64 MiB are done
first and answered late.`,
  colour: '#b06000',
  examples: [
    { title: 'writes to the records hang', params: { preset: 'log', match: { op: ['write'] } } },
    { title: 'every fsync hangs', params: { match: { op: ['sync'] } } },
  ],
  draw: (random) => ({ preset: 'log', match: { op: [random.pick(['write', 'sync'] as const)] } }),
});
