import { Type, type Static } from 'typebox';
import { Duration, durationMs } from '../base/duration.ts';
import type { Problem } from '../base/problem.ts';
import { parseRatio, Ratio } from '../base/ratio.ts';
import { KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import { faultKind, type Facts, type Here, type Step } from '../model/fault.ts';

const Params = Type.Object(
  {
    workers: Type.Optional(
      Type.Union([Type.Enum(['all']), Type.Integer({ minimum: 1, maximum: 1024 })], {
        title: 'number of workers',
        description: "how many CPUs to burn: 1 to 1024, or 'all' (default)",
      }),
    ),
    share: Type.Optional(Ratio),
    ramp: Type.Optional(Duration),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

/** Longer than a burner takes to start on a busy machine, and to show its first ticks. */
const SEEN_WITHIN_MS = 10_000;

function perMille(params: Params): number {
  const share = parseRatio(params.share ?? 1);
  return share ? Math.round((share.numerator * 1000) / share.denominator) : 0;
}

function check(params: Params): Problem[] {
  const problems: Problem[] = [];
  if (perMille(params) < 1) {
    problems.push({
      path: '/share',
      message: 'a share of less than 0.1 % burns nothing',
      found: String(params.share),
      expected: "a ratio from '0.1%' to '100%'",
    });
  }
  return problems;
}

function plan(params: Params, here: Here, facts: Facts): Step[] {
  const fact = facts[0];
  const cpus = fact?.query === 'cpuCount' ? fact.count : 1;
  const workers = typeof params.workers === 'number' ? params.workers : cpus;
  return [
    {
      says: `burn ${perMille(params) / 10} % of ${workers} CPU(s)`,
      act: {
        act: 'cpu.burn',
        token: here.token,
        workers,
        sharePerMille: perMille(params),
        rampMs: params.ramp === undefined ? 0 : durationMs(params.ramp),
        timeoutMs: KERNEL_TIMEOUT_MS,
      },
      undo: { act: 'cpu.burn.stop', token: here.token },
      refresh: { act: 'cpu.burn.refresh', token: here.token },
    },
  ];
}

/** Somebody else on the machine wants the CPUs, too. */
export const cpuLoad = faultKind({
  kind: 'cpu.load',
  summary: 'Burns CPU on the targets: a noisy neighbour.',
  doc: `Starts a process beside Kafka that keeps \`workers\` CPUs busy for \`share\` of every tenth of a
second, at normal priority, first in line for the OOM killer, and in a memory and CPU control group of
its own where one can be made (\`faultline nodes --json\` says). With \`ramp\` the share grows evenly from
nothing. The load ends with the fault, and by itself 30 s after an agent has last asked for it.

**What a Kafka user sees.** Longer request queues and higher latency, on all listeners; on a small
machine followers that fall behind and leave the ISR, consumer groups that rebalance because
heartbeats are late, and sessions that end.

**What it does not do.** It competes, it does not limit: the scheduler still gives Kafka its fair part
(with 2 CPUs and 2 workers about half). In a container it uses the container's own quota. One such
fault a node at a time.`,
  standing: true,
  namesNodes: false,
  colour: '#a142f4',
  params: Params,
  examples: [
    { title: 'all CPUs', params: {} },
    { title: 'one CPU, half of the time', params: { workers: 1, share: '50%' } },
    { title: 'growing for ten seconds', params: { workers: 'all', share: 0.9, ramp: '10s' } },
  ],
  needs: [['cpu.burn']],
  check,
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  observe: () => [{ query: 'cpuCount' }],
  plan,
  claims: () => [{ key: 'cpu', says: 'the CPUs' }],
  witness: (_params, here) => ({
    sample: { query: 'burnerCpuMs', token: here.token },
    probes: [],
    seen: (_before, now) => now.query === 'burnerCpuMs' && now.running > 0 && now.cpuMs > 0,
    withinMs: SEEN_WITHIN_MS,
    says: 'the burner uses CPU time',
  }),
  draw(random, topology) {
    const share = `${random.pick([50, 75, 90, 100])}%`;
    const workers = random.pick(['all', 1] as const);
    return { params: { workers, share }, targets: random.pick(topology.nodes).name };
  },
});
