import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Random } from '../../src/core/base/random.ts';
import type { FaultKind, Here, Step } from '../../src/core/model/fault.ts';
import type { Topology } from '../../src/core/model/topology.ts';
import type { Leftover, Linux } from '../../src/host/linux/linux.ts';
import { LinuxInNetns } from './linux-in-netns.ts';
import { NetPeer } from './net-peer-client.ts';
import { TestNetwork, type TestNode } from './netns.ts';
import { ownToken } from './own-token.ts';

export const AGENT = 8611;
/** The listeners of every machine: clients, controllers. */
export const KAFKA = 9092;
export const CONTROLLER = 9093;
/** Of every fault on a rig. */
export const RIG_TOKEN = ownToken('kernel');

/** A node of a test network: hands on it, and somebody on it who listens and connects. */
export interface Machine {
  node: TestNode;
  hands: LinuxInNetns;
  peer: NetPeer;
}

export interface RigOptions {
  /** What its namespaces are called, before the pid of the test. */
  prefix: string;
  /** 'iptables-nft' or 'iptables-legacy'. */
  iptables?: string;
}

/** Three machines on a network of their own, and faults planned for them. */
export class NetRig {
  readonly network: TestNetwork;
  readonly machines: Machine[];
  readonly topology: Topology;

  constructor(options: RigOptions) {
    this.network = new TestNetwork(options.prefix, 3, 42);
    this.machines = this.network.nodes.map((node) => ({
      node,
      hands: new LinuxInNetns(this.network, node, {}, options.iptables),
      peer: new NetPeer(this.network, node),
    }));
    this.topology = {
      name: 'kernel',
      nodes: this.network.nodes.map((node) => ({
        name: node.name,
        agent: `http://${node.address}:${AGENT}`,
        addresses: [node.address, node.address6],
        roles: ['broker', 'controller', 'client'],
        listeners: [
          { name: 'PLAINTEXT', port: KAFKA, purpose: 'client' },
          { name: 'CONTROLLER', port: CONTROLLER, purpose: 'controller' },
        ],
      })),
    };
  }

  at(index: number): Machine {
    const machine = this.machines[index - 1];
    assert.ok(machine);
    return machine;
  }

  /** @param changes what else a plan may know: targets, duration, the coordinator's addresses. */
  here(index: number, changes: Partial<Here> = {}): Here {
    return {
      faultId: 'kernel-1',
      instance: 1,
      token: RIG_TOKEN,
      node: this.at(index).node.name,
      topology: this.topology,
      targets: [],
      control: { coordinatorAddresses: [], agentPort: AGENT },
      meets: () => true,
      random: new Random(1),
      ...changes,
    };
  }

  plan(kind: FaultKind, index: number, params: object, changes: Partial<Here> = {}): Step[] {
    const steps = kind.plan({ ...params }, this.here(index, changes), []);
    for (const step of steps) assert.ok('act' in step, JSON.stringify(step));
    return steps as Step[];
  }

  async perform(index: number, steps: readonly Step[]): Promise<void> {
    for (const { act } of steps) await this.at(index).hands.perform(act);
  }

  async undo(index: number, steps: readonly Step[]): Promise<void> {
    for (const { undo } of steps.toReversed())
      if ('act' in undo) await this.at(index).hands.perform(undo);
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

/** Rules that are left: processes are those of the whole machine, and of other tests. */
export async function rulesLeft(linux: Linux): Promise<Leftover[]> {
  const leftovers = await linux.leftovers();
  return leftovers.filter(({ remove }) => remove.act === 'netfilter.delete');
}

/** In a suite: tests on one rig, one after the other, each of which must leave it as it was. */
export function rigTests(
  options: RigOptions,
): (title: string, body: (rig: NetRig) => Promise<void>) => void {
  let rig: NetRig | undefined;
  before(() => {
    rig = new NetRig(options);
  });
  after(() => rig?.close());
  return (title, body) => {
    test(title, async () => {
      assert.ok(rig);
      await body(rig);
      for (const { hands } of rig.machines) assert.deepEqual(await rulesLeft(hands), []);
    });
  };
}
