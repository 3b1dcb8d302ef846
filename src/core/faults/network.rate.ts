import { Type, type Static } from 'typebox';
import { BitRate, parseBitRate } from '../base/bit-rate.ts';
import { Duration, durationMs } from '../base/duration.ts';
import type { Problem } from '../base/problem.ts';
import { AIM_FIELDS } from '../network/aim.ts';
import { backendOf, packetFault } from '../network/packet-kind.ts';

const BURST = 32_768;
const LATENCY = '500ms';
const SLOWEST = 8_000;

const Params = Type.Object(
  {
    rate: BitRate,
    burst: Type.Optional(
      Type.Integer({
        minimum: 2_000,
        maximum: 100_000_000,
        title: 'number of bytes',
        description: `what may pass at once after a pause, default ${BURST}`,
      }),
    ),
    latency: Type.Optional(
      Type.Union([Duration], {
        title: 'duration',
        description: `what would have to wait longer is dropped, default '${LATENCY}'`,
      }),
    ),
    backend: backendOf('htb'),
    ...AIM_FIELDS,
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

function check(params: Params): Problem[] {
  const problems: Problem[] = [];
  if ((parseBitRate(params.rate) ?? 0) < SLOWEST)
    problems.push({ path: '/rate', message: 'less than 8kbit', found: params.rate });
  const latencyMs = durationMs(params.latency ?? LATENCY);
  if (latencyMs > 60_000)
    problems.push({
      path: '/latency',
      message: 'longer than a minute',
      found: params.latency ?? '',
    });
  return problems;
}

/** A thin line. */
export const networkRate = packetFault({
  kind: 'network.rate',
  summary: 'Packets of the targets pass at a limited rate, those too many wait or are dropped.',
  doc: `Between each target and each peer no more than \`rate\` passes; \`burst\` bytes are let
through at once after a pause. Packets wait for their turn as in a router's queue, and what would
have to wait longer than \`latency\` (default 500 ms) is dropped, which is how TCP finds out.
Headers count.

**What a Kafka user sees.** A replica that catches up, or a consumer that reads much, fills the
line, and everything else on it waits: heartbeats and metadata too, by up to \`latency\`. Followers
that can't keep up leave the ISR.`,
  colour: '#1a73e8',
  params: Params,
  examples: [
    { title: '10 Mbit/s to each node', params: { rate: '10mbit' } },
    {
      title: 'a short queue, only replication',
      params: { rate: '5mbit', burst: 16_000, latency: '50ms', listeners: ['replication'] },
    },
    { title: 'by the kernel’s htb', params: { rate: '5mbit', peers: ['n2'], backend: 'htb' } },
  ],
  check,
  qdisc: { need: 'htb', byItself: true },
  shape: ({ rate, burst, latency }) => ({
    rate: {
      bytesPerSecond: (parseBitRate(rate) ?? SLOWEST) / 8,
      burstBytes: burst ?? BURST,
      latencyUs: durationMs(latency ?? LATENCY) * 1000,
    },
  }),
  draw: (random) => ({ rate: `${random.pick([1, 5, 20, 100])}mbit` }),
});
