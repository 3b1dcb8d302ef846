import { Type, type Static } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { under } from '../base/problem.ts';
import { Ratio } from '../base/ratio.ts';
import { EVERY_PACKET, type RuleTable } from '../model/act-netfilter.ts';
import type { SteerTable } from '../model/act-packets.ts';
import type { Here, Step, Witness } from '../model/fault.ts';
import { chooseBackend, namedBackend, NETFILTER_NEEDS } from '../model/netfilter-backend.ts';
import { AIM_FIELDS } from '../network/aim.ts';
import { checkRatios, CORRELATION, fractionOf, likelihoodOf } from '../network/likelihood.ts';
import { packetFault, sendersTo, type Looking } from '../network/packet-kind.ts';

const Bursts = Type.Object(
  { p: Ratio, r: Ratio, h: Type.Optional(Ratio), k: Type.Optional(Ratio) },
  {
    additionalProperties: false,
    title: 'Gilbert-Elliott model',
    description:
      'loss in bursts: p from good to bad, r back, h and k the share that arrives while bad (default 0) and good (default 1)',
  },
);

const Params = Type.Object(
  {
    ratio: Type.Optional(Ratio),
    correlation: CORRELATION,
    gilbertElliott: Type.Optional(Bursts),
    backend: Type.Optional(
      Type.Enum(['nfqueue', 'nft', 'iptables', 'netem', 'netem-or-nfqueue'], {
        description:
          'what drops: a packet process (default where it works), rules of a packet filter, or a qdisc where packets leave, both by the kernel’s own chance; netem-or-nfqueue: the qdisc if all that send have it, a packet process if not',
      }),
    ),
    ...AIM_FIELDS,
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

function check(params: Params): Problem[] {
  const problems = checkRatios(params, ['ratio', 'correlation'], ['ratio']);
  const { gilbertElliott } = params;
  if (filterOf(params) !== undefined && needsQueue(params))
    problems.push({ path: '/backend', message: 'rules know neither bursts nor correlation' });
  if (!gilbertElliott) {
    if (params.ratio === undefined)
      problems.push({ path: '/ratio', message: `'ratio' or 'gilbertElliott' is missing` });
    return problems;
  }
  for (const field of ['ratio', 'correlation'] as const) {
    if (params[field] === undefined) continue;
    problems.push({
      path: `/${field}`,
      message: `either '${field}' or 'gilbertElliott', not both`,
    });
  }
  const bursts = checkRatios(gilbertElliott, ['p', 'r', 'h', 'k'], ['p']);
  return [...problems, ...under('/gilbertElliott', bursts)];
}

/** Rules know only independent chance. */
const needsQueue = (params: Params): boolean =>
  params.gilbertElliott !== undefined || params.correlation !== undefined;

const filterOf = ({ backend }: Params): 'nft' | 'iptables' | undefined =>
  backend === 'nft' || backend === 'iptables' ? backend : undefined;

const PER_KERNEL =
  'the kernel draws, not the seed; packets that it has merged on their way in are lost together';

function planRules(params: Params, here: Here, steer: SteerTable): Step[] | Problem[] {
  const backend = chooseBackend(filterOf(params), here);
  if (typeof backend !== 'string') return [backend];
  const { numerator, denominator } = fractionOf(params.ratio);
  const perMillion = Math.max(1, Math.round((numerator * EVERY_PACKET) / denominator));
  const rules: RuleTable = { ...steer, backend, how: 'drop', perMillion };
  return [
    {
      says: `lose ${perMillion / 10_000} % of packets from ${steer.peers.map(({ name }) => name).join(', ')}`,
      act: { act: 'netfilter.apply', rules },
      undo: { act: 'netfilter.delete', backend, table: here.token },
      refresh: { act: 'netfilter.refresh', rules },
    },
  ];
}

function backendOfRules(params: Params, here: Here): { name: string; note: string } {
  const { name, note } = namedBackend(filterOf(params), here);
  return { name, note: note === undefined ? PER_KERNEL : `${PER_KERNEL}; ${note}` };
}

/** A rule counts what it drops: of a small share that takes more packets than probes are. */
function witnessRules(params: Params, here: Here, byQueue: Looking): Witness {
  const backend = chooseBackend(filterOf(params), here);
  if (typeof backend !== 'string') return { untestable: backend.message };
  return {
    sample: { query: 'packetCounters', backend, table: here.token, peers: sendersTo(params, here) },
    probes: byQueue.probes,
    seen: (_before, now) =>
      now.query === 'packetCounters' && Object.values(now.packets).some((count) => count > 0),
    withinMs: byQueue.withinMs,
    patient: true,
    says: 'drops counted',
  };
}

/** Packets are lost. */
export const networkLoss = packetFault({
  kind: 'network.loss',
  summary: 'Some packets of the targets are lost, singly or in bursts.',
  doc: `Each packet is dropped with a probability of \`ratio\`; or in bursts, by a channel that is
good or bad (\`gilbertElliott\`): it loses \`p / (p + r)\` of all packets on average, in bursts of
\`1 / r\`. A packet is one of the network's: what the kernel has merged on its way in is taken apart
before.

**What a Kafka user sees.** TCP repeats what is lost, so nothing is missing, but late: by a round
trip where later packets tell of the loss, by at least 200 ms where the last packet of a request was
lost. One percent is seen in the 99th percentile; ten percent in everything; beyond that connections
stall until \`request.timeout.ms\` or \`replica.lag.time.max.ms\` is over.

**By rules.** With \`backend: nft\` or \`iptables\`, or by itself on a node without a packet queue, rules
drop the packets and there is no process (what is said of it below then does not hold): the kernel
draws, not the seed; packets that it has merged are lost together; neither \`correlation\` nor
\`gilbertElliott\` is to be had.`,
  colour: '#c5221f',
  params: Params,
  examples: [
    { title: 'one packet in a hundred', params: { ratio: '1%' } },
    { title: 'by rules alone', params: { ratio: '5%', backend: 'nft' } },
    { title: 'bursts', params: { gilbertElliott: { p: '1%', r: '25%' } } },
    { title: 'a bad line, both ways', params: { ratio: 0.1, direction: 'both' } },
  ],
  check,
  otherwise: {
    needs: NETFILTER_NEEDS,
    chosen: (params, here) =>
      filterOf(params) !== undefined ||
      (params.backend === undefined && !needsQueue(params) && !here.meets(here.node, 'nfqueue')),
    plan: planRules,
    witness: witnessRules,
    backend: backendOfRules,
  },
  qdisc: { need: 'netem', byItself: false },
  shape({ ratio, correlation, gilbertElliott }) {
    if (!gilbertElliott) return { loss: likelihoodOf({ ratio, correlation }) };
    const { p, r, h = 0, k = 1 } = gilbertElliott;
    return {
      loss: { p: fractionOf(p), r: fractionOf(r), h: fractionOf(h), k: fractionOf(k) },
    };
  },
  draw(random) {
    if (random.below(3) === 0) return { gilbertElliott: { p: '1%', r: '20%' } };
    return { ratio: `${random.pick([1, 5, 10, 30])}%` };
  },
});
