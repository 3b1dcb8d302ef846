import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Random } from '../../src/core/base/random.ts';
import { networkPartition } from '../../src/core/faults/network.partition.ts';
import type { Act, DropTable } from '../../src/core/model/act.ts';
import { NEEDS, type Here, type Step } from '../../src/core/model/fault.ts';
import type { Topology } from '../../src/core/model/topology.ts';
import { LinuxInNetns } from '../support/linux-in-netns.ts';
import { lacks } from '../support/needs.ts';
import { NetPeer } from '../support/net-peer-client.ts';
import { TestNetwork, type TestNode } from '../support/netns.ts';
import { until } from '../support/until.ts';

const AGENT = 8611;
const KAFKA = 9092;
/** Long enough for an echo on a busy machine, and much longer than one takes. */
const SILENT_MS = 700;

interface Machine {
  node: TestNode;
  hands: LinuxInNetns;
  peer: NetPeer;
}

class Rig {
  readonly network = new TestNetwork('flpart', 3, 42);
  readonly machines: Machine[] = this.network.nodes.map((node) => ({
    node,
    hands: new LinuxInNetns(this.network, node),
    peer: new NetPeer(this.network, node),
  }));
  readonly topology: Topology = {
    name: 'kernel',
    nodes: this.network.nodes.map((node) => ({
      name: node.name,
      agent: `http://${node.address}:${AGENT}`,
      addresses: [node.address, node.address6],
      roles: ['broker' as const],
      listeners: [{ name: 'PLAINTEXT', port: KAFKA }],
    })),
  };

  at(index: number): Machine {
    const machine = this.machines[index - 1];
    assert.ok(machine);
    return machine;
  }

  here(index: number, coordinator: string[] = []): Here {
    return {
      faultId: 'kernel-1',
      instance: 1,
      token: 'faultline-kernel1',
      node: this.at(index).node.name,
      topology: this.topology,
      targets: [],
      meets: () => true,
      control: { coordinatorAddresses: coordinator, agentPort: AGENT },
      met: NEEDS,
      random: new Random(1),
    };
  }

  step(index: number, groups: string[][], coordinator: string[] = []): Step {
    const [step] = networkPartition.plan({ groups }, this.here(index, coordinator), []);
    assert.ok(step && 'act' in step);
    return step;
  }

  async listen(...ports: number[]): Promise<void> {
    for (const { peer } of this.machines) for (const port of ports) await peer.listen(port);
  }

  /** Forgets who has which link address: the next packet must ask first. */
  coldNeighbours(): void {
    for (const { node } of this.machines) {
      for (const family of ['-4', '-6']) {
        this.network.run(node, ['ip', family, 'neigh', 'flush', 'all']);
      }
    }
  }

  async close(): Promise<void> {
    for (const { hands, peer } of this.machines) {
      await hands.close();
      await peer.close();
    }
    this.network.close();
  }
}

function onRig(title: string, body: (rig: Rig) => Promise<void>): void {
  test(title, async () => {
    const rig = new Rig();
    try {
      await body(rig);
    } finally {
      await rig.close();
    }
  });
}

const dropOf = (step: Step): DropTable => {
  assert.ok(step.act.act === 'nft.drop');
  return step.act.drop;
};

suite(
  'network.partition on a real kernel',
  { skip: lacks('root', 'namespaces', 'nft', 'ipv6') },
  () => {
    onRig(
      'established connections are cut at once, bystanders are not, healing mends',
      async (rig) => {
        await rig.listen(KAFKA);
        const [one, two, three] = [rig.at(1), rig.at(2), rig.at(3)];
        const kept: [Machine, Machine, string][] = [];
        for (const [from, to] of [
          [one, two],
          [two, one],
          [one, three],
          [three, two],
        ] as const) {
          for (const address of [to.node.address, to.node.address6]) {
            const name = `${from.node.name}-${address}`;
            assert.equal(await from.peer.open(address, KAFKA, 5_000, name), 'open');
            assert.equal(await from.peer.echo(name, 5_000), 'echoed');
            kept.push([from, to, name]);
          }
        }
        const groups = [['n1'], ['n2']];
        const steps = [rig.step(1, groups), rig.step(2, groups)] as const;
        await one.hands.perform(steps[0].act);
        await two.hands.perform(steps[1].act);
        const words = await Promise.all(
          kept.map(async ([from, to, name]) => {
            const cut = from !== three && to !== three;
            const word = await from.peer.echo(name, cut ? SILENT_MS : 5_000);
            return [name, word, cut ? 'silent' : 'echoed'];
          }),
        );
        for (const [name, word, expected] of words) assert.equal(word, expected, String(name));
        assert.equal(await one.peer.open(two.node.address, KAFKA, SILENT_MS), 'silent');
        assert.equal(await one.peer.open(two.node.address6, KAFKA, SILENT_MS), 'silent');
        await one.hands.perform({ act: 'nft.delete', table: dropOf(steps[0]).table });
        await two.hands.perform({ act: 'nft.delete', table: dropOf(steps[1]).table });
        for (const [from, , name] of kept) {
          await until(
            `${name} is mended`,
            async () => (await from.peer.echo(name, 1_000)) === 'echoed',
          );
        }
        for (const { hands } of rig.machines) assert.deepEqual(await hands.leftovers(), []);
      },
    );

    onRig('the witness sees it with no other traffic, on one side alone, too', async (rig) => {
      rig.coldNeighbours();
      const params = { groups: [['n1'], ['n2', 'n3']] };
      const step = rig.step(1, params.groups);
      const { hands } = rig.at(1);
      const witness = networkPartition.witness(params, rig.here(1), []);
      assert.ok('seen' in witness);
      const before = await hands.ask(witness.sample);
      await hands.perform(step.act);
      assert.equal(witness.seen(before, await hands.ask(witness.sample)), false);
      await until('every peer is counted', async () => {
        await hands.probe(witness.probes);
        return witness.seen(before, await hands.ask(witness.sample));
      });
    });

    onRig('nobody refreshes: the kernel heals by itself', async (rig) => {
      await rig.listen(KAFKA);
      const [one, two] = [rig.at(1), rig.at(2)];
      const drop = { ...dropOf(rig.step(1, [['n1'], ['n2']])), timeoutMs: 2_500 };
      await one.hands.perform({ act: 'nft.drop', drop });
      await one.hands.close();
      for (const address of [one.node.address, one.node.address6]) {
        assert.equal(await two.peer.open(address, KAFKA, SILENT_MS), 'silent');
      }
      for (const address of [one.node.address, one.node.address6]) {
        await until(
          'it is healed',
          async () => (await two.peer.open(address, KAFKA, 500)) === 'open',
        );
      }
    });

    onRig('the coordinator reaches the agent’s port and nothing else', async (rig) => {
      await rig.listen(AGENT, KAFKA);
      const [agent, coordinator] = [rig.at(1), rig.at(3)];
      // As a socket that listens on both families shows a peer's address.
      const control = [`::ffff:${coordinator.node.address}`, coordinator.node.address6];
      const groups = [['n1'], ['n3']];
      await agent.hands.perform(rig.step(1, groups, control).act);
      await coordinator.hands.perform(rig.step(3, groups, control).act);
      rig.coldNeighbours();
      const { node } = agent;
      for (const address of [node.address, node.address6]) {
        assert.equal(await coordinator.peer.open(address, AGENT, 5_000, address), 'open', address);
        assert.equal(await coordinator.peer.echo(address, 5_000), 'echoed', address);
        assert.equal(await coordinator.peer.open(address, KAFKA, SILENT_MS), 'silent', address);
      }
      for (const address of [coordinator.node.address, coordinator.node.address6]) {
        for (const port of [AGENT, KAFKA]) {
          assert.equal(await agent.peer.open(address, port, SILENT_MS), 'silent', address);
        }
      }
    });

    for (const family of ['address', 'address6'] as const) {
      onRig(`refreshing leaks no packet (${family})`, async (rig) => {
        const [one, two] = [rig.at(1), rig.at(2)];
        await one.peer.udpListen(KAFKA);
        const step = rig.step(1, [['n1'], ['n2']]);
        const refresh = step.refresh as Act;
        const table = dropOf(step).table;
        const counted = async (): Promise<number> =>
          (await one.hands.ask({ query: 'nftCounters', table })).packets['n2'] ?? 0;
        await one.hands.perform(step.act);
        await two.peer.flood(one.node[family], KAFKA);
        await until('the flood arrives', async () => (await counted()) > 100);
        for (let round = 0; round < 300; round++) await one.hands.perform(refresh);
        for (let round = 0; round < 50; round++) await one.hands.perform(step.act);
        assert.ok((await two.peer.endFlood()) > 1_000);
        assert.equal(await one.peer.udpCount(KAFKA), 0);
        await one.hands.perform({ act: 'nft.delete', table });
        await two.peer.flood(one.node[family], KAFKA);
        await until('healed: packets arrive', async () => (await one.peer.udpCount(KAFKA)) > 0);
        await two.peer.endFlood();
      });
    }
  },
);
