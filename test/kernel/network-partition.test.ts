import assert from 'node:assert/strict';
import { suite } from 'node:test';
import { networkPartition } from '../../src/core/faults/network.partition.ts';
import type { RuleTable } from '../../src/core/model/act-netfilter.ts';
import type { Act } from '../../src/core/model/act.ts';
import type { Step } from '../../src/core/model/fault.ts';
import { lacks } from '../support/needs.ts';
import {
  AGENT,
  CONTROLLER,
  KAFKA,
  RIG_TOKEN,
  rigTests,
  type Machine,
  type NetRig,
} from '../support/net-rig.ts';
import { until } from '../support/until.ts';

/** Long enough for an echo on a busy machine, and much longer than one takes. */
const SILENT_MS = 700;
const PREFIX = 'flpart';

const rulesOf = ([step]: readonly Step[]): RuleTable => {
  assert.ok(step?.act.act === 'netfilter.apply');
  return step.act.rules;
};

/** Every way to make the rules that this machine has. */
const WAYS = [
  { backend: 'nft', iptables: 'iptables-nft' },
  { backend: 'iptables', iptables: 'iptables-nft' },
  { backend: 'iptables', iptables: 'iptables-legacy' },
] as const;

/** Whoever might answer, besides Kafka and the agent. */
const OTHER_PORTS = [22, 80, AGENT - 1, AGENT + 1, KAFKA, CONTROLLER, 32_768, 65_535];

/** Two nodes lose each other. @returns what heals them. */
async function cut(rig: NetRig, params: object): Promise<() => Promise<void>> {
  const plans = ([1, 2] as const).map((index) => ({
    index,
    steps: rig.plan(networkPartition, index, { groups: [['n1'], ['n2']], ...params }),
  }));
  for (const { index, steps } of plans) await rig.perform(index, steps);
  return async () => {
    for (const { index, steps } of plans) await rig.undo(index, steps);
  };
}

const addressesOf = ({ node }: Machine): string[] => [node.address, node.address6];

/** Packets of another machine that the rules have met. */
async function countedOf(
  { hands }: Machine,
  of: Machine,
  backend: 'nft' | 'iptables',
): Promise<number> {
  const peers = [{ name: of.node.name, addresses: addressesOf(of) }];
  const query = { query: 'packetCounters' as const, backend, table: RIG_TOKEN, peers };
  return (await hands.ask(query)).packets[of.node.name] ?? 0;
}

for (const { backend, iptables } of WAYS) {
  const way = backend === 'nft' ? 'nft' : iptables;
  const skip = lacks('root', 'namespaces', 'nft', 'ipv6', 'ipset', iptables);
  suite(`network.partition on a real kernel, by ${way}`, { skip }, () => {
    const onRig = rigTests({ prefix: PREFIX, iptables });

    onRig('established connections are cut, bystanders are not', async (rig) => {
      await rig.listen(KAFKA);
      const [one, two, three] = [rig.at(1), rig.at(2), rig.at(3)];
      const kept: [Machine, Machine, string][] = [];
      for (const [from, to] of [
        [one, two],
        [two, one],
        [one, three],
        [three, two],
      ] as const) {
        for (const address of addressesOf(to)) {
          const name = `${from.node.name}-${address}`;
          assert.equal(await from.peer.open(address, KAFKA, 5_000, name), 'open');
          assert.equal(await from.peer.echo(name, 5_000), 'echoed');
          kept.push([from, to, name]);
        }
      }
      const heal = await cut(rig, { backend });
      const words = await Promise.all(
        kept.map(async ([from, to, name]) => {
          const isCut = from !== three && to !== three;
          const word = await from.peer.echo(name, isCut ? SILENT_MS : 5_000);
          return [name, word, isCut ? 'silent' : 'echoed'];
        }),
      );
      for (const [name, word, expected] of words) assert.equal(word, expected, String(name));
      for (const address of addressesOf(two))
        assert.equal(await one.peer.open(address, KAFKA, SILENT_MS), 'silent');
      await heal();
      for (const [from, , name] of kept) {
        await until(
          `${name} is mended`,
          async () => (await from.peer.echo(name, 1_000)) === 'echoed',
        );
      }
    });

    onRig('one listener of two, and nothing else of that node', async (rig) => {
      await rig.listen(KAFKA, CONTROLLER);
      const [one, two] = [rig.at(1), rig.at(2)];
      const [address = '', address6 = ''] = addressesOf(two);
      await one.peer.open(address6, KAFKA, 5_000, 'kept');
      await one.peer.open(address6, CONTROLLER, 5_000, 'lost');
      const heal = await cut(rig, { backend, listeners: ['controller'] });
      assert.equal(await one.peer.echo('kept', 5_000), 'echoed');
      assert.equal(await one.peer.echo('lost', SILENT_MS), 'silent');
      assert.equal(await two.peer.open(one.node.address, CONTROLLER, SILENT_MS), 'silent');
      assert.equal(await one.peer.open(address, KAFKA, 5_000), 'open');
      await heal();
    });

    onRig('reset: what is in use breaks at once, on both sides', async (rig) => {
      await rig.listen(KAFKA);
      const [one, two] = [rig.at(1), rig.at(2)];
      for (const address of addressesOf(two)) await one.peer.open(address, KAFKA, 5_000, address);
      await one.peer.open('127.0.0.1', KAFKA, 5_000, 'loopback');
      const heal = await cut(rig, { backend, how: 'reset' });
      for (const address of addressesOf(two)) {
        assert.equal(await one.peer.echo(address, 5_000), 'broken');
        assert.equal(await one.peer.open(address, KAFKA, 5_000), 'refused');
      }
      assert.equal(await one.peer.echo('loopback', 5_000), 'echoed');
      await heal();
      assert.equal(await one.peer.open(two.node.address, KAFKA, 5_000), 'open');
    });

    onRig('reject: new connections fail at once, UDP alone can be meant', async (rig) => {
      await rig.listen(KAFKA);
      const [one, two] = [rig.at(1), rig.at(2)];
      const heal = await cut(rig, { backend, how: 'reject' });
      for (const address of addressesOf(two))
        assert.equal(await one.peer.open(address, KAFKA, 5_000), 'refused');
      await heal();
      await one.peer.udpListen(KAFKA);
      const healUdp = await cut(rig, { backend, ports: [KAFKA], protocols: 'udp' });
      assert.equal(await two.peer.open(one.node.address, KAFKA, 5_000), 'open');
      await two.peer.flood(one.node.address, KAFKA);
      await until('the flood is dropped', async () => {
        return (await countedOf(one, two, backend)) > 50;
      });
      assert.equal(await one.peer.udpCount(KAFKA), 0);
      await two.peer.endFlood();
      await healUdp();
    });

    onRig('flapping: cut and whole in turn; the kernel expires it, too', async (rig) => {
      await rig.listen(KAFKA);
      const [one, two] = [rig.at(1), rig.at(2)];
      const flap = { on: ['1s', '1200ms'], off: ['1s', '1200ms'] };
      const params = { groups: [['n1'], ['n2']], flap, backend };
      const steps = rig.plan(networkPartition, 1, params);
      await rig.perform(1, steps);
      const passes = async (): Promise<boolean> =>
        (await two.peer.open(one.node.address, KAFKA, 250)) === 'open';
      for (let round = 0; round < 2; round++) {
        await until('it is cut', async () => !(await passes()));
        await until('it is whole', passes);
      }
      await rig.undo(1, steps);
      const apply: Act = {
        act: 'netfilter.apply',
        rules: { ...rulesOf(steps), timeoutMs: 1_500 },
      };
      await one.hands.perform(apply);
      // In the next phase of its timeline it would be on again, were it not over.
      await until('its time is over', async () => !(await one.hands.holds(apply)));
      const refresh: Act = { act: 'netfilter.refresh', rules: apply.rules };
      await assert.rejects(one.hands.perform(refresh), { code: 'expired' });
      await until('it is whole', passes);
      await rig.undo(1, steps);
    });

    onRig('nobody refreshes: the kernel heals by itself', async (rig) => {
      await rig.listen(KAFKA);
      const [one, two] = [rig.at(1), rig.at(2)];
      const steps = rig.plan(networkPartition, 1, { groups: [['n1'], ['n2']], backend });
      const rules = { ...rulesOf(steps), timeoutMs: 3_000 };
      await one.hands.perform({ act: 'netfilter.apply', rules });
      for (const address of addressesOf(one))
        assert.equal(await two.peer.open(address, KAFKA, SILENT_MS), 'silent');
      for (const address of addressesOf(one)) {
        await until(
          'it is healed',
          async () => (await two.peer.open(address, KAFKA, 500)) === 'open',
        );
      }
      await rig.undo(1, steps);
    });

    onRig('refreshing leaks no packet', async (rig) => {
      const [one, two] = [rig.at(1), rig.at(2)];
      await one.peer.udpListen(KAFKA);
      const steps = rig.plan(networkPartition, 1, { groups: [['n1'], ['n2']], backend });
      const [step] = steps;
      assert.ok(step?.refresh);
      const counted = (): Promise<number> => countedOf(one, two, backend);
      await one.hands.perform(step.act);
      const [refreshes, applies] = backend === 'nft' ? [300, 50] : [10, 3];
      for (const address of addressesOf(one)) {
        const before = await counted();
        await two.peer.flood(address, KAFKA);
        await until('the flood arrives', async () => (await counted()) > before + 100);
        let last = await counted();
        for (let round = 0; round < refreshes; round++) {
          await one.hands.perform(step.refresh);
          const now = await counted();
          assert.ok(now >= last, `${last} packets counted, then ${now}`);
          last = now;
        }
        for (let round = 0; round < applies; round++) await one.hands.perform(step.act);
        assert.ok((await two.peer.endFlood()) > 1_000);
        assert.equal(await one.peer.udpCount(KAFKA), 0, address);
      }
      await rig.undo(1, steps);
      await two.peer.flood(one.node.address, KAFKA);
      await until('healed: packets arrive', async () => (await one.peer.udpCount(KAFKA)) > 0);
      await two.peer.endFlood();
    });

    onRig('the witness sees it with no other traffic, from one side', async (rig) => {
      rig.coldNeighbours();
      const params = { groups: [['n1'], ['n2', 'n3']], backend };
      const { hands } = rig.at(1);
      const witness = networkPartition.witness(params, rig.here(1), []);
      assert.ok('seen' in witness);
      const before = await hands.ask(witness.sample);
      const steps = rig.plan(networkPartition, 1, params);
      await rig.perform(1, steps);
      assert.equal(witness.seen(before, await hands.ask(witness.sample)), false);
      await until('every peer is counted', async () => {
        await hands.probe(witness.probes);
        return witness.seen(before, await hands.ask(witness.sample));
      });
      await rig.undo(1, steps);
    });

    for (const how of ['drop', 'reset'] as const) {
      onRig(`control traffic: the agent’s port and no other (${how})`, async (rig) => {
        await rig.listen(AGENT, ...OTHER_PORTS);
        const [agent, coordinator] = [rig.at(1), rig.at(3)];
        // As a socket that listens on both families shows a peer's address.
        const coordinatorAddresses = [
          `::ffff:${coordinator.node.address}`,
          coordinator.node.address6,
        ];
        const control = { coordinatorAddresses, agentPort: AGENT };
        const params = { groups: [['n1'], ['n3']], how, backend };
        const plans = [1, 3].map((index) => ({
          index,
          steps: rig.plan(networkPartition, index, params, { control }),
        }));
        for (const { index, steps } of plans) await rig.perform(index, steps);
        rig.coldNeighbours();
        for (const address of addressesOf(agent)) {
          assert.equal(await coordinator.peer.open(address, AGENT, 5_000, address), 'open');
          assert.equal(await coordinator.peer.echo(address, 5_000), 'echoed', address);
        }
        const words = [
          ...addressesOf(agent).flatMap((address) =>
            OTHER_PORTS.map((port) => coordinator.peer.open(address, port, SILENT_MS)),
          ),
          // The other way round nothing passes at all: no agent asks anything of a coordinator.
          ...addressesOf(coordinator).flatMap((address) =>
            [AGENT, ...OTHER_PORTS].map((port) => agent.peer.open(address, port, SILENT_MS)),
          ),
        ];
        const expected = how === 'drop' ? 'silent' : 'refused';
        for (const word of await Promise.all(words)) assert.equal(word, expected);
        for (const { index, steps } of plans) await rig.undo(index, steps);
      });
    }
  });
}
