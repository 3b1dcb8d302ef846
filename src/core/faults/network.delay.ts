import { Type, type Static } from 'typebox';
import { Duration, durationMs } from '../base/duration.ts';
import type { Problem } from '../base/problem.ts';
import { DISTRIBUTIONS } from '../model/packet-shape.ts';
import { AIM_FIELDS } from '../network/aim.ts';
import { checkRatios, CORRELATION, fractionOf } from '../network/likelihood.ts';
import { backendOf, packetFault } from '../network/packet-kind.ts';

const LONGEST_MS = 60_000;

const Params = Type.Object(
  {
    latency: Duration,
    jitter: Type.Optional(Duration),
    distribution: Type.Optional(
      Type.Enum([...DISTRIBUTIONS], {
        description:
          "how latencies spread: 'uniform' (default) within latency ± jitter, 'normal' or 'pareto' with jitter for standard deviation",
      }),
    ),
    correlation: CORRELATION,
    backend: backendOf('netem'),
    ...AIM_FIELDS,
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

function check(params: Params): Problem[] {
  const problems = checkRatios(params, ['correlation']);
  for (const field of ['latency', 'jitter'] as const) {
    const text = params[field];
    if (text === undefined || durationMs(text) <= LONGEST_MS) continue;
    problems.push({ path: `/${field}`, message: 'longer than a minute', found: text });
  }
  if (durationMs(params.latency) + durationMs(params.jitter ?? '0ms') === 0)
    problems.push({ path: '/latency', message: 'a delay of 0 does nothing' });
  for (const field of ['distribution', 'correlation'] as const) {
    if (params[field] === undefined || params.jitter !== undefined) continue;
    problems.push({ path: `/${field}`, message: `without 'jitter' there is nothing to spread` });
  }
  return problems;
}

/** Packets come late. */
export const networkDelay = packetFault({
  kind: 'network.delay',
  summary: 'Packets of the targets arrive late, evenly or with jitter.',
  doc: `Every packet is held for \`latency\`, give or take \`jitter\`; with jitter packets overtake
each other, as they do on a network. A round trip becomes longer by the latency once (by twice with
\`direction: both\`).

**What a Kafka user sees.** Requests take longer: \`acks=all\` by a round trip to the slowest
in-sync replica. Throughput of one connection falls to what fits into its window in a round trip
(fetches of \`replica.fetch.max.bytes\` make up for it, small \`linger.ms=0\` batches do not).
Beyond \`replica.lag.time.max.ms\` followers leave the ISR; beyond \`request.timeout.ms\` clients
retry; beyond \`broker.session.timeout.ms\` or \`session.timeout.ms\` brokers are fenced and groups
rebalance.

**What \`ping\` sees.** The same, from either side, although it takes the time of an answer where that
reaches the network device, before any rule: of a ping of a node that acts, the packet process holds the
request as it leaves, in place of its answer. Captures on such a node, and programs that have the kernel
stamp what comes in (NTP), meet packets before they are held.`,
  colour: '#f29900',
  params: Params,
  examples: [
    { title: '100 ms on everything the targets send', params: { latency: '100ms' } },
    {
      title: 'a long way: jitter with a heavy tail',
      params: { latency: '80ms', jitter: '20ms', distribution: 'pareto' },
    },
    {
      title: 'only replication, only towards n2',
      params: { latency: '200ms', peers: ['n2'], listeners: ['replication'] },
    },
    { title: 'both ways', params: { latency: '50ms', direction: 'both' } },
    { title: 'by the kernel’s netem', params: { latency: '20ms', backend: 'netem' } },
  ],
  check,
  qdisc: { need: 'netem', byItself: true },
  shape: ({ latency, jitter, distribution, correlation }) => ({
    delay: {
      latencyUs: durationMs(latency) * 1000,
      jitterUs: durationMs(jitter ?? '0ms') * 1000,
      distribution: distribution ?? 'uniform',
      correlation: fractionOf(correlation),
    },
  }),
  draw(random) {
    const latencyMs = random.pick([10, 50, 100, 300, 1_000]);
    const latency = `${latencyMs}ms`;
    if (random.below(2) === 0) return { latency };
    const distribution = random.pick(DISTRIBUTIONS);
    return { latency, jitter: `${Math.max(1, latencyMs / 5)}ms`, distribution };
  },
});
