import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite } from 'node:test';
import { kindNamed } from '../../src/core/faults/registry.ts';
import { networkPartition } from '../../src/core/faults/network.partition.ts';
import type { Answer } from '../../src/core/model/query.ts';
import { lacks } from '../support/needs.ts';
import { AGENT, KAFKA, rigTests, type Machine, type NetRig } from '../support/net-rig.ts';
import { until } from '../support/until.ts';

/** Long enough for whoever answers at all on a busy machine. */
const SILENT_MS = 700;
const OTHER_PORTS = [22, AGENT + 1, KAFKA, 65_535];
const SWEEP = join(import.meta.dirname, '..', 'support', 'port-sweep.py');

const addressesOf = ({ node }: Machine): string[] => [node.address, node.address6];

/** Each kind that meets packets, so that whatever it meets is counted. */
const BY_QUEUE: [string, object][] = [
  ['network.corrupt', { ratio: '10%' }],
  ['network.delay', { latency: '10ms' }],
  ['network.duplicate', { ratio: '10%' }],
  ['network.loss', { ratio: '10%' }],
  ['network.rate', { rate: '1Mbit' }],
  ['network.reorder', { ratio: '10%' }],
];
const byRules = (backend: string): [string, object][] => [
  ['network.loss', { ratio: '100%', backend }],
  ['network.reset', { backend, peers: ['n3'] }],
];

const WAYS = [
  { way: 'nfqueue', iptables: 'iptables-nft', cases: BY_QUEUE },
  { way: 'nft', iptables: 'iptables-nft', cases: byRules('nft') },
  { way: 'iptables-nft', iptables: 'iptables-nft', cases: byRules('iptables') },
  { way: 'iptables-legacy', iptables: 'iptables-legacy', cases: byRules('iptables') },
] as const;

function packetsIn(answer: Answer): number {
  if (answer.query === 'steeredPackets') return answer.seen;
  assert.equal(answer.query, 'packetCounters');
  return Object.values(answer.packets).reduce((sum, packets) => sum + packets, 0);
}

/** Opens both families of a machine's port, kept as 'FROM ADDRESS PORT', and echoes once. */
async function talk(from: Machine, to: Machine, port: number): Promise<string[]> {
  const names = addressesOf(to).map((address) => `${from.node.name} ${address} ${port}`);
  for (const [index, address] of addressesOf(to).entries()) {
    assert.equal(await from.peer.open(address, port, 5_000, names[index]), 'open', names[index]);
    assert.equal(await from.peer.echo(names[index] ?? '', 5_000), 'echoed', names[index]);
  }
  return names;
}

/** A fault on n1 of what n3 sends, where both of them may be the coordinator's host. */
async function fault(rig: NetRig, kind: string, params: object): Promise<() => Promise<void>> {
  const found = kindNamed(kind);
  assert.ok(found);
  const [one, , three] = rig.machines as [Machine, Machine, Machine];
  const mapped = `::ffff:${three.node.address}`;
  const coordinatorAddresses = [mapped, three.node.address6, ...addressesOf(one)];
  const changes = { targets: ['n3'], control: { coordinatorAddresses, agentPort: AGENT } };
  const steps = rig.plan(found, 1, params, changes);
  const witness = found.witness({ ...params }, rig.here(1, changes), []);
  assert.ok('sample' in witness);
  const met = async (): Promise<number> => packetsIn(await one.hands.ask(witness.sample));

  const [two] = [rig.at(2)];
  const control = await talk(three, one, AGENT);
  const busy = await talk(three, one, KAFKA);
  const bystander = await talk(two, one, KAFKA);
  const agents = await talk(one, three, AGENT);
  await rig.perform(1, steps);
  rig.coldNeighbours();
  for (const name of control) assert.equal(await three.peer.echo(name, 5_000), 'echoed', name);
  for (const name of bystander) assert.equal(await two.peer.echo(name, 5_000), 'echoed', name);
  for (const name of agents) assert.equal(await one.peer.echo(name, 5_000), 'echoed', name);
  await talk(three, one, AGENT);
  await talk(one, three, AGENT);
  await talk(two, one, KAFKA);
  assert.equal(await met(), 0, `${kind}: control traffic and bystanders are not met`);

  for (const name of busy) {
    const before = await met();
    const word = await three.peer.echo(name, SILENT_MS);
    // A connection that is ended needs no packet to be met.
    if (word !== 'broken') await until(`${kind} meets ${name}`, async () => (await met()) > before);
  }
  for (const address of addressesOf(one)) {
    for (const port of OTHER_PORTS) {
      const before = await met();
      await three.peer.open(address, port, SILENT_MS / 4);
      await until(`${kind} meets ${address} ${port}`, async () => (await met()) > before);
    }
  }
  return () => rig.undo(1, steps);
}

for (const { way, iptables, cases } of WAYS) {
  const skip = lacks('root', 'namespaces', 'nft', 'ipv6', 'nfqueue', 'ipset', iptables);
  suite(`control traffic and bystanders, by ${way}`, { skip }, () => {
    const onRig = rigTests({ prefix: 'flctl', iptables });
    for (const [kind, params] of cases) {
      onRig(`${kind}: established connections are met, these are not`, async (rig) => {
        await rig.listen(AGENT, KAFKA);
        const heal = await fault(rig, kind, params);
        await heal();
        await talk(rig.at(3), rig.at(1), KAFKA);
      });
    }
  });
}

/** Segments and datagrams that came through to the sockets of a machine, of both families. */
function throughTo(rig: NetRig, { node }: Machine): number {
  const read = (file: string): string => rig.network.run(node, ['cat', `/proc/self/net/${file}`]);
  // Pairs of lines: names, then values.
  const rows = read('snmp')
    .split('\n')
    .filter((line) => /^(Tcp|Udp): /.test(line))
    .map((line) => line.split(' '));
  const wanted = ['InSegs', 'InDatagrams', 'NoPorts'];
  const ipv4 = rows.flatMap((names, row) =>
    row % 2 === 0 ? (rows[row + 1] ?? []).filter((_, at) => wanted.includes(names[at] ?? '')) : [],
  );
  const ipv6 = [...read('snmp6').matchAll(/^Udp6(?:InDatagrams|NoPorts)\s+([0-9]+)$/gm)];
  return [...ipv4, ...ipv6.map(([, value = '0']) => value)]
    .map(Number)
    .reduce((sum, value) => sum + value, 0);
}

for (const { way, iptables, backend } of [
  { way: 'nft', iptables: 'iptables-nft', backend: 'nft' },
  { way: 'iptables-legacy', iptables: 'iptables-legacy', backend: 'iptables' },
] as const) {
  const skip = lacks('root', 'namespaces', 'nft', 'ipv6', 'ipset', 'python', iptables);
  suite(`no port but the agent’s, by ${way}`, { skip }, () => {
    const onRig = rigTests({ prefix: 'flport', iptables });

    onRig('a coordinator that is cut off reaches not one of 65,535 ports', async (rig) => {
      const [one, three] = [rig.at(1), rig.at(3)];
      await rig.listen(AGENT);
      const control = { coordinatorAddresses: addressesOf(three), agentPort: AGENT };
      const params = { groups: [['n1'], ['n3']], backend };
      const steps = rig.plan(networkPartition, 1, params, { control });
      const [step] = steps;
      assert.ok(step?.act.act === 'netfilter.apply');
      // Nobody renews it here, and a busy machine is slow.
      step.act.rules.timeoutMs = 600_000;
      const witness = networkPartition.witness(params, rig.here(1), []);
      assert.ok('sample' in witness);
      await rig.perform(1, steps);
      rig.coldNeighbours();
      const before = throughTo(rig, one);
      for (const address of addressesOf(one))
        rig.network.run(three.node, ['python3', SWEEP, address, String(AGENT)]);
      await until(
        'what was sent has arrived at the rules',
        // Some of the first wait for the neighbour's address, and not all find room there.
        async () => packetsIn(await one.hands.ask(witness.sample)) > 4 * 65_000,
      );
      assert.equal(throughTo(rig, one) - before, 0, 'nothing came through');
      await talk(three, one, AGENT);
      assert.ok(throughTo(rig, one) > before, 'and what comes through is seen');
      await rig.undo(1, steps);
    });
  });
}
