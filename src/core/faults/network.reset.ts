import { Type, type Static } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { parseRatio, Ratio } from '../base/ratio.ts';
import { EVERY_PACKET, type RulePeer, type RuleTable } from '../model/act-netfilter.ts';
import { KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import { faultKind, type Here, type Step, type Witness } from '../model/fault.ts';
import {
  BackendChoice,
  chooseBackend,
  namedBackend,
  NETFILTER_NEEDS,
} from '../model/netfilter-backend.ts';
import { checkDistinct } from '../model/node-address.ts';
import { nodeNamed, type Node } from '../model/topology.ts';
import { portsBetween, rulePeer } from '../model/traffic.ts';
import { AIM_FIELDS, checkAim, linksOf } from '../network/aim.ts';
import { checkRatios } from '../network/likelihood.ts';
import { probesOf } from '../network/probes.ts';

const { peers, ports, listeners } = AIM_FIELDS;
const Params = Type.Object(
  {
    peers,
    ports,
    listeners,
    ratio: Type.Optional(
      Type.Union(Ratio.anyOf, {
        title: 'ratio',
        description: 'of packets that are answered with a RST, or of connections that are ended',
      }),
    ),
    once: Type.Optional(
      Type.Boolean({ description: 'ends what is open, once; new connections are left alone' }),
    ),
    halfOpen: Type.Optional(
      Type.Boolean({
        description: 'the targets lose their connections, and their peers are not told',
      }),
    ),
    backend: Type.Optional(BackendChoice),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

function peersOf(params: Params, here: Here): Node[] {
  const links = linksOf(params, here.topology, [here.node]);
  return links.map(({ to }) => to);
}

function perMillionOf({ ratio }: Params): number {
  const fraction = ratio === undefined ? undefined : parseRatio(ratio);
  if (!fraction) return EVERY_PACKET;
  return Math.max(1, Math.round((EVERY_PACKET * fraction.numerator) / fraction.denominator));
}

function check(params: Params, topology: Here['topology']): Problem[] {
  const problems = [...checkAim(params, topology), ...checkRatios(params, ['ratio'], ['ratio'])];
  if (params.once === true && params.backend !== undefined)
    problems.push({
      path: '/backend',
      message: `'once' ends what is open, and needs no packet filter`,
      expected: `no 'backend', or no 'once'`,
    });
  if (params.once === true && params.halfOpen === true)
    problems.push({
      path: '/halfOpen',
      message: `half-open connections stay so while the fault stands: not with 'once'`,
    });
  return problems;
}

/** The rules that answer with a RST, or that keep RSTs back. */
function rulesStep(params: Params, here: Here, met: RulePeer[]): Step | Problem {
  const backend = chooseBackend(params.backend, here);
  if (typeof backend !== 'string') return backend;
  const isMute = params.halfOpen === true;
  const rules: RuleTable = {
    backend,
    table: here.token,
    faultId: here.faultId,
    peers: met,
    control: here.control,
    protocol: 'tcp',
    how: isMute ? 'swallow-resets' : 'reset',
    perMillion: isMute ? EVERY_PACKET : perMillionOf(params),
    timeoutMs: KERNEL_TIMEOUT_MS,
  };
  const names = met.map(({ name }) => name).join(', ');
  return {
    says: isMute ? `no RST leaves for ${names}` : `what ${names} sends is answered with a RST`,
    act: { act: 'netfilter.apply', rules },
    undo: { act: 'netfilter.delete', backend, table: here.token },
    refresh: { act: 'netfilter.refresh', rules },
  };
}

function plan(params: Params, here: Here): Step[] | Problem[] {
  const self = nodeNamed(here.topology, here.node);
  const nodes = peersOf(params, here);
  if (!self || nodes.length === 0)
    return [{ path: '/peers', message: `'${here.node}' has no such connections with anybody` }];
  const problems = checkDistinct(
    here.topology,
    here.node,
    nodes.map(({ name }) => name),
  );
  if (problems.length > 0) return problems;
  const met = nodes.map((node) => rulePeer(params, self, node));
  const canDestroy = here.meets(here.node, 'sockets.destroy');
  const steps: Step[] = [];
  if (params.once !== true) {
    const step = rulesStep(params, here, met);
    if ('message' in step) return [step];
    steps.push(step);
  }
  // A share of the packets is met by rules alone: it is not a share of the connections.
  const wanted = params.once === true || params.halfOpen === true || params.ratio === undefined;
  if (wanted && canDestroy)
    steps.push({
      says: `end the open connections with ${met.map(({ name }) => name).join(', ')}`,
      act: {
        act: 'sockets.destroy',
        token: here.token,
        choice: {
          peers: met,
          control: here.control,
          perMillion: perMillionOf(params),
          seed: here.random.fork('sockets').next(),
        },
      },
      undo: { irreversible: 'a connection that was ended does not come back' },
    });
  else if (params.once === true || params.halfOpen === true)
    return [
      { path: '', message: `node '${here.node}' can't end connections: ss -K does not work` },
    ];
  return steps;
}

function witness(params: Params, here: Here): Witness {
  if (params.once === true || params.halfOpen === true)
    return {
      sample: { query: 'destroyedSockets', token: here.token },
      probes: [],
      seen: (_before, now) => now.query === 'destroyedSockets' && now.count > 0,
      withinMs: 1_000,
      patient: true,
      says: 'open connections were ended',
    };
  const backend = chooseBackend(params.backend, here);
  const self = nodeNamed(here.topology, here.node);
  const nodes = peersOf(params, here);
  return {
    sample: {
      query: 'packetCounters',
      backend: typeof backend === 'string' ? backend : 'nft',
      table: here.token,
      peers: nodes,
    },
    probes: nodes.flatMap((node) => probesOf(node, self && portsBetween(params, self, node))),
    seen: (_before, now) =>
      now.query === 'packetCounters' && Object.values(now.packets).some((count) => count > 0),
    withinMs: 2_000,
    // A closed port answers with a RST of its own, which is let through.
    patient: true,
    says: `packets of ${nodes.map(({ name }) => name).join(', ')} answered with a RST`,
  };
}

/** TCP connections break. */
export const networkReset = faultKind({
  kind: 'network.reset',
  summary: 'TCP connections of the targets break: reset, or gone on one side only.',
  doc: `Every open TCP connection between the targets and their \`peers\` (all other nodes, unless named) is
ended, on both sides; as long as the fault stands, whatever a peer sends to a target is answered with
a RST, so that new connections are refused. \`ports\` and \`listeners\` restrict it, as in
network.partition.

- \`once: true\`: ends what is open at that moment, idle connections included, and no more. \`ratio\` is
  then the share of connections, chosen by the fault's seed.
- \`ratio\` without it: this share of the packets is answered with a RST; busy connections break soon,
  quiet ones live long.
- \`halfOpen: true\`: the targets' side of the connections is gone and the peers are not told: what
  they send vanishes (no RST leaves the targets) until the fault is healed, as after a crash of a
  machine or in a NAT that has forgotten. New connections work.

**What a Kafka user sees.** Disconnects (\`NetworkException\`, \`DisconnectException\`) and retries; with
idempotence nothing is doubled, without it a batch whose answer was lost is sent again. Half open:
requests run into \`request.timeout.ms\`, replica fetchers into \`replica.socket.timeout.ms\`, before
anybody connects anew.

**What it does not do.** UDP is untouched, and so is the coordinator's path to the agents. Connections
through a proxy or NAT in between have other addresses, and are not met.`,
  standing: true,
  stands: (params) => params.once !== true,
  namesNodes: false,
  colour: '#e8710a',
  params: Params,
  examples: [
    { title: 'all connections of the targets, old and new', params: {} },
    { title: 'what is open, once', params: { once: true } },
    {
      title: 'half of what clients have open',
      params: { once: true, ratio: '50%', ports: [9092] },
    },
    { title: 'one packet in a hundred', params: { ratio: '1%', listeners: ['replication'] } },
    { title: 'half open, towards one node', params: { halfOpen: true, peers: ['n2'] } },
  ],
  needs: [...NETFILTER_NEEDS, ['sockets.destroy']],
  check,
  targets: (params, topology, selected) => [
    ...new Set([...selected, ...linksOf(params, topology, selected).map(({ to }) => to.name)]),
  ],
  actors: (_params, _topology, selected) => selected,
  observe: () => [],
  plan,
  claims: () => [],
  backend: (params, here) =>
    params.once === true ? { name: 'ss' } : namedBackend(params.backend, here),
  witness,
  draw(random, topology) {
    const params = random.pick([{}, { once: true }, { halfOpen: true }, { ratio: '1%' }]);
    return { params, targets: random.pick(topology.nodes).name };
  },
});
