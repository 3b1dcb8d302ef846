import { Type, type Static } from 'typebox';
import { parseAddress } from '../base/address.ts';
import type { Problem } from '../base/problem.ts';
import { resolversIn, type DnsOrders } from '../model/act-dns.ts';
import { KERNEL_TIMEOUT_MS } from '../model/fault-request.ts';
import { BackendChoice } from '../model/netfilter-backend.ts';
import { chooseRedirect, namedRedirect, REDIRECT_NEEDS } from '../model/redirection.ts';
import { faultKind, type Facts, type Here, type Step, type Witness } from '../model/fault.ts';

const Name = Type.String({
  pattern:
    '^(\\*\\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$',
  maxLength: 253,
  title: 'host name',
});

const Params = Type.Object(
  {
    names: Type.Optional(
      Type.Array(Name, {
        minItems: 1,
        maxItems: 64,
        title: 'list of host names',
        description: "these names, or '*.example.org' for all below one; default: every name",
      }),
    ),
    answer: Type.Union(
      [
        Type.Enum(['nxdomain', 'servfail', 'timeout']),
        Type.Object(
          { address: Type.String({ minLength: 2, maxLength: 45 }) },
          { additionalProperties: false },
        ),
      ],
      {
        title: 'answer',
        description:
          "'nxdomain', 'servfail', 'timeout' (none) or {address: '192.0.2.1'}, a wrong one",
      },
    ),
    backend: Type.Optional(BackendChoice),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

function check({ answer }: Params): Problem[] {
  if (typeof answer === 'string' || parseAddress(answer.address)) return [];
  return [
    {
      path: '/answer/address',
      message: 'not an IPv4 or IPv6 address',
      found: answer.address,
    },
  ];
}

function plan(params: Params, here: Here, facts: Facts): Step[] | Problem[] {
  const resolvers = resolversIn(facts);
  if (resolvers.length === 0)
    return [
      { path: '', message: `node '${here.node}' asks nobody: /etc/resolv.conf names no one` },
    ];
  const { names = [], answer } = params;
  const backend = chooseRedirect(params.backend, here);
  if (typeof backend !== 'string') return [backend];
  const orders: DnsOrders = {
    backend,
    table: here.token,
    faultId: here.faultId,
    names,
    answer,
    resolvers,
    timeoutMs: KERNEL_TIMEOUT_MS,
  };
  const which = names.length === 0 ? 'every name' : names.join(', ');
  const what = typeof answer === 'string' ? answer : answer.address;
  return [
    {
      says: `${here.node} resolves ${which} to ${what}`,
      act: { act: 'dns.answer', orders },
      undo: { act: 'dns.stop', token: here.token, backend },
      refresh: { act: 'dns.refresh', token: here.token },
    },
  ];
}

function witness(params: Params, here: Here, facts: Facts): Witness {
  const backend = chooseRedirect(params.backend, here);
  return {
    sample: {
      query: 'packetCounters',
      backend: typeof backend === 'string' ? backend : 'nft',
      table: here.token,
      peers: [{ name: 'dns', addresses: [] }],
    },
    probes: resolversIn(facts).map((address) => ({ protocol: 'udp', address, port: 53 })),
    seen: (_before, now) => now.query === 'packetCounters' && (now.packets['dns'] ?? 0) > 0,
    withinMs: 2_000,
    says: 'queries redirected to the responder',
  };
}

/** Names resolve wrongly, or not at all. */
export const networkDns = faultKind({
  kind: 'network.dns',
  summary: 'Host names resolve wrongly, late or not at all on the targets.',
  doc: `What the targets ask the nameservers of their /etc/resolv.conf (UDP and TCP, IPv4 and IPv6) is
redirected to a responder of ours on the same node, which gives the \`answer\` for \`names\` and passes all
other questions on: \`nxdomain\` (no such name), \`servfail\` (a resolver in trouble), \`timeout\`
(silence), or a wrong address.

**What a Kafka user sees.** Open connections live on: only who connects anew asks. Clients and
brokers that lose a connection then log \`UnknownHostException\` and try again; at a start,
\`bootstrap.servers\` that resolve to nothing end a client (\`No resolvable bootstrap urls\`). With a wrong
address, connections time out, or reach the wrong broker. Java remembers good answers for 30 s and
bad ones for 10 s (\`networkaddress.cache.ttl\`, \`negative.ttl\`): the fault bites, and heals, that
much later.

**What it does not do.** /etc/hosts and caches on the node (nscd, a JVM's) are not touched; programs that
ask systemd-resolved by D-Bus, or a nameserver that resolv.conf does not name, are not met. The
responder dies with nobody to renew it after 30 s, and without it the kernel lets queries pass again
within 4 s. One such fault a node at a time.`,
  standing: true,
  namesNodes: false,
  colour: '#1e8e3e',
  params: Params,
  examples: [
    { title: 'no name is known', params: { answer: 'nxdomain' } },
    {
      title: 'the resolver is in trouble, for one domain',
      params: { names: ['*.kafka.example'], answer: 'servfail' },
    },
    { title: 'silence', params: { answer: 'timeout' } },
    {
      title: 'a wrong address',
      params: { names: ['kafka-1.example'], answer: { address: '192.0.2.1' } },
    },
  ],
  needs: REDIRECT_NEEDS,
  check,
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  observe: () => [{ query: 'resolvers' }],
  plan,
  claims: () => [{ key: 'dns', says: 'the answers of its resolvers' }],
  witness,
  backend: (params, here) => namedRedirect(params.backend, here),
  draw(random, topology) {
    const answer = random.pick(['nxdomain', 'servfail', 'timeout'] as const);
    return { params: { answer }, targets: random.pick(topology.nodes).name };
  },
});
