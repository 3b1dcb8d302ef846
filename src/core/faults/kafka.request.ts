import { Type, type Static } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import { faultKind, type Here, type Step } from '../model/fault.ts';
import { BackendChoice } from '../model/netfilter-backend.ts';
import { chooseRedirect, namedRedirect, REDIRECT_NEEDS } from '../model/redirection.ts';
import { ProxyRules } from '../model/proxy-rule.ts';
import type { Answer } from '../model/query.ts';
import { nodeNamed, type Listener, type Node, type Topology } from '../model/topology.ts';
import { checkListeners, listenersMeant } from '../model/traffic.ts';
import { drawRule } from '../proxy/draw-rule.ts';
import { checkRules } from '../proxy/rule.ts';

const Path = Type.String({ minLength: 1, maxLength: 4096, pattern: '^/' });

const Params = Type.Object(
  {
    rules: ProxyRules,
    listeners: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        maxItems: 16,
        description:
          "names of listeners, or what they are for ('client', 'replication', 'controller'); default ['client']",
      }),
    ),
    ports: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), {
        minItems: 1,
        maxItems: 16,
        description: "in place of listeners: ports of the node's Kafka listeners",
      }),
    ),
    anyPort: Type.Optional(
      Type.Boolean({
        description: "'ports' may be others, too: whatever listens there goes through the proxy",
      }),
    ),
    backend: Type.Optional(BackendChoice),
    tls: Type.Optional(
      Type.Object(
        { certificate: Path, key: Path },
        {
          additionalProperties: false,
          description: 'PEM files on the node: the proxy ends TLS with them and begins it anew',
        },
      ),
    ),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

/** Of the proxy's own connections to the broker: they are not sent back to it. */
const MARK = 0xfa17;
/** Renewed by the proxy itself every second: a dead one stops nobody for longer. */
const REDIRECT_TIMEOUT_MS = 4_000;
const DEFAULT_LISTENERS = ['client'];

function portsOf(params: Params, node: Node | undefined): number[] {
  const words = params.listeners ?? DEFAULT_LISTENERS;
  const meant = node ? words.flatMap((word) => listenersMeant(node, word)) : [];
  const ports = params.ports ?? meant.map(({ port }) => port);
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** Those whose listener is known to speak TLS. */
function secretPorts(params: Params, node: Node | undefined): number[] {
  const secret = new Set((node?.listeners ?? []).flatMap(({ tls, port }) => (tls ? [port] : [])));
  return portsOf(params, node).filter((port) => secret.has(port));
}

/** What is no listener of Kafka's (ssh, a database) would be stalled or cut by rules that it never heard of. */
function checkPorts(params: Params, node: string, known: readonly Listener[]): Problem[] {
  if (params.anyPort === true) return [];
  const kafka = [...new Set(known.map(({ port }) => port))].sort((a, b) => a - b);
  return (params.ports ?? []).flatMap((port, index) =>
    kafka.includes(port)
      ? []
      : {
          path: `/ports/${index}`,
          message: `port ${port} is not known to be a Kafka listener of ${node}`,
          expected:
            kafka.length > 0
              ? `one of ${kafka.join(', ')}, or 'anyPort: true'`
              : `'listeners' of the node in cluster.yaml, or 'anyPort: true'`,
        },
  );
}

function check(params: Params, topology: Topology): Problem[] {
  const problems = checkRules(params.rules);
  if (params.ports && params.listeners) {
    problems.push({ path: '/listeners', message: `either 'listeners' or 'ports', not both` });
  }
  if (params.anyPort !== undefined && !params.ports) {
    problems.push({ path: '/anyPort', message: `'anyPort' is about 'ports', and there are none` });
  }
  return [...problems, ...checkListeners(params.listeners ?? [], topology)];
}

function plan(params: Params, here: Here): Step[] | Problem[] {
  const node = nodeNamed(here.topology, here.node);
  const ports = portsOf(params, node);
  const others = checkPorts(params, here.node, node?.listeners ?? []);
  if (others.length > 0) return others;
  if (ports.length === 0) {
    return [
      {
        path: '/listeners',
        message: `it is not known on which port ${here.node} listens for that`,
        expected: `'listeners' of the node in cluster.yaml, or 'ports' with 'anyPort: true' here`,
      },
    ];
  }
  if (ports.includes(here.control.agentPort)) {
    return [{ path: '/ports', message: `port ${here.control.agentPort} is the agent's own` }];
  }
  const { rules, tls } = params;
  const backend = chooseRedirect(params.backend, here);
  if (typeof backend !== 'string') return [backend];
  const redirect = {
    backend,
    table: here.token,
    faultId: here.faultId,
    ports,
    whose: { mark: MARK },
    timeoutMs: REDIRECT_TIMEOUT_MS,
  };
  const seed = here.random.fork('proxy').seed.toString();
  const orders = { redirect, rules, seed, timeoutMs: KERNEL_TIMEOUT_MS };
  return [
    {
      says: `a proxy in front of port ${ports.join(', ')} with ${rules.length} rule(s)`,
      act: {
        act: 'kafka.proxy',
        token: here.token,
        orders: tls === undefined ? orders : { ...orders, tls },
      },
      undo: { act: 'kafka.proxy.stop', token: here.token, backend },
      refresh: { act: 'kafka.proxy.refresh', token: here.token },
    },
  ];
}

/** What did not meet the rules, and why. */
function weaker(now: Answer): string | undefined {
  if (now.query !== 'proxyCounts') return undefined;
  const { tls, unread, outside } = now;
  const notes: string[] = [];
  if (outside !== undefined) notes.push(outside);
  if (tls > 0) {
    const rules = 'only rules that look at nothing and disconnect applied';
    notes.push(`${tls} connection(s) of TLS passed unread: ${rules}`);
  }
  if (unread > 0) notes.push(`${unread} request(s) could not be read, and passed`);
  return notes.length > 0 ? notes.join('; ') : undefined;
}

const DOC = `The targets' ports are redirected (by nftables, or by iptables with ipset) to a proxy on the node
itself, which reads the Kafka protocol. \`advertised.listeners\` stay as they are. Connections that are
open when the fault begins are reset, so that they come back through the proxy (\`ss -K\`; where the
kernel can't, they stay outside), and all that run through it end with the fault.

\`ports\` that are no Kafka listener of the node are refused, so that nobody's ssh is stalled by a mistyped
number, unless \`anyPort\` says that it is meant.

**Rules.** The first rule that matches a request and fires, fires alone. All that it names must match:
\`apiKey\`, \`clientId\`, \`topic\`, \`topicPartition\` (\`orders-3\`), \`transactionalId\`, \`group\`. Then
\`nth\`, \`ratio\` or \`once\` say when. The same seed decides alike over the same requests.

- \`error: NAME\`: answered so, in the words of the request's version; the broker never sees it. Of
  Metadata only the topics fail.
- \`delayBefore\`: the broker sees it late, and all that follows on that connection.
- \`hold\`: the same, meant for so long that the client gives up; it reaches the broker even when the
  client has long gone (KAFKA-17754).
- \`delayAfter\`: the broker has applied it, and its answer comes late.
- \`loseReply\`: the broker has applied it; on that connection nothing is answered any more.
- \`disconnect: before\` or \`after\`: the client is reset before the broker sees it, or in place of
  its answer.
- \`duplicate\`: the broker gets it twice, the client one answer.
- \`truncateFetch: 50%\`: so much of the bytes of each topic-partition arrives.

**What a Kafka user sees.** A lost acknowledgement makes a producer send again: a duplicate without
idempotence, none with it. A held EndTxn or Produce meets the next transaction.

**What it does not do.** Where one listener serves clients and replication, rules meet both. The
broker sees the node's own address in place of the client's. An error answers a whole request, also
where a rule names one of its topics. Requests over 16 MiB, and versions later than Kafka 4.1, are
passed as they are: they match by API and client only (\`unread\` in the receipt). TLS passes
through unread unless \`tls\` names a certificate, and then only rules that look at nothing and
\`disconnect\` apply. The receipt notes what passed so. If the proxy dies, the kernel stops sending
it connections after 4 s.`;

/** Single requests of the Kafka protocol meet trouble. */
export const kafkaRequest = faultKind({
  kind: 'kafka.request',
  summary:
    'Single Kafka requests are refused, late, lost, doubled or held, by a proxy on the node.',
  doc: DOC,
  standing: true,
  namesNodes: false,
  colour: '#00897b',
  params: Params,
  examples: [
    {
      title: 'a lost acknowledgement: every tenth Produce is applied, and its answer lost',
      params: { rules: [{ apiKey: 'Produce', ratio: '10%', disconnect: 'after' }] },
    },
    {
      title: 'one EndTxn is held until long after its producer gave up',
      params: { rules: [{ apiKey: 'EndTxn', transactionalId: 'pay-*', once: true, hold: '40s' }] },
    },
    {
      title: 'an error for one topic, and late answers for another',
      params: {
        rules: [
          { apiKey: 'Produce', topic: 'orders', error: 'NOT_ENOUGH_REPLICAS' },
          { apiKey: ['Produce', 'Fetch'], topic: 'audit', delayAfter: '2s' },
        ],
      },
    },
    {
      title: 'replication: fetches come back cut in half',
      params: {
        listeners: ['replication'],
        rules: [{ apiKey: 'Fetch', ratio: '1/10', truncateFetch: '50%' }],
      },
    },
  ],
  needs: REDIRECT_NEEDS,
  check,
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  observe: () => [],
  plan,
  claims: (params, here) =>
    portsOf(params, nodeNamed(here.topology, here.node)).map((port) => ({
      key: `port:${port}`,
      says: `port ${port}`,
    })),
  backend(params, here) {
    const backend = namedRedirect(params.backend, here);
    const secret = secretPorts(params, nodeNamed(here.topology, here.node));
    if (params.tls !== undefined || secret.length === 0) return backend;
    const rules = 'only rules that look at nothing and disconnect apply';
    return {
      ...backend,
      note: `port ${secret.join(', ')} speaks TLS, and 'tls' is not given: ${rules}`,
    };
  },
  witness(params, here) {
    const node = nodeNamed(here.topology, here.node);
    const ports = portsOf(params, node);
    return {
      sample: { query: 'proxyCounts', token: here.token },
      probes: (node?.addresses ?? []).flatMap((address) =>
        ports.map((port) => ({ protocol: 'tcp' as const, address, port })),
      ),
      seen: (_before, now) => now.query === 'proxyCounts' && now.connections > 0,
      withinMs: 5_000,
      weaker,
      says: `connections through the proxy at port ${ports.join(', ')}; how often each rule fired`,
    };
  },
  draw(random, topology) {
    const brokers = topology.nodes.filter((node) => node.roles.includes('broker'));
    const { name } = random.pick(brokers.length > 0 ? brokers : topology.nodes);
    return { params: { rules: [drawRule(random)] }, targets: name };
  },
});
