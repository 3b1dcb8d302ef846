import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { Act } from '../../src/core/model/act.ts';
import type { ShapeTable } from '../../src/core/model/act-shaping.ts';
import type { PacketShape } from '../../src/core/model/packet-shape.ts';
import { Failure } from '../../src/core/base/failure.ts';
import { LinuxInNetns } from '../support/linux-in-netns.ts';
import { lacks } from '../support/needs.ts';
import { ownToken } from '../support/own-token.ts';
import { PacketRig, PORT } from '../support/packet-rig.ts';
import { until } from '../support/until.ts';

const NEVER = { numerator: 0, denominator: 1 };
const tenth = { ratio: { numerator: 1, denominator: 10 }, correlation: NEVER };
const MANY = 2_000;

interface Shaped {
  rig: PacketRig;
  /** Of n2, which sends to n1; its packets to n3 are nobody's business. */
  hands: LinuxInNetns;
  shape(shape: PacketShape, more?: Partial<ShapeTable>): Promise<void>;
  run(...argv: string[]): string;
}

let shared: Shaped | undefined;

async function open(): Promise<Shaped> {
  const rig = new PacketRig();
  const [one, two] = rig.nodes;
  for (const peer of [rig.peers[0], rig.peers[2]]) await peer.listen(PORT);
  const hands = new LinuxInNetns(rig.network, two);
  return {
    rig,
    hands,
    run: (...argv) => rig.network.run(two, argv),
    async shape(shape, more = {}) {
      const { devices } = await hands.ask({ query: 'egress', addresses: [one.address] });
      const shaping: ShapeTable = {
        ...rig.steer(),
        table: ownToken('shape'),
        faultId: 'shape-1',
        peers: [{ name: 'n1', ipv4: [one.address], ipv6: [one.address6] }],
        devices: Object.values(devices),
        shape,
        ...more,
      };
      await hands.perform({ act: 'shaping.apply', shaping });
    },
  };
}

const release = (name: string): Act => ({ act: 'shaping.release', token: ownToken(name) });

function onNode(title: string, body: (shaped: Shaped) => Promise<void>): void {
  test(title, async () => {
    shared ??= await open();
    try {
      await body(shared);
    } finally {
      for (const name of ['shape', 'second']) await shared.hands.perform(release(name));
    }
  });
}

const close = async (): Promise<void> => {
  await shared?.hands.close();
  await shared?.rig.close();
  shared = undefined;
};

/** What n3 hears of n2: a bystander. */
async function bystander({ rig }: Shaped, count: number): Promise<number> {
  await rig.peers[1].send(rig.nodes[2].address, PORT, count);
  return (await rig.peers[2].settled(PORT)).numbers.length;
}

suite(
  'packets shaped by htb on a real kernel',
  { skip: lacks('root', 'namespaces', 'nft', 'htb', 'ipv6') },
  () => {
    after(close);
    // With its headers a datagram has 1000 bytes over IPv4, 1014 with Ethernet's.
    const rate = { bytesPerSecond: 100_000, burstBytes: 10_000, latencyUs: 500_000 };

    onNode('rate: a burst passes, the rest waits for its turn or is dropped', async (shaped) => {
      const { rig, hands, shape, run } = shaped;
      const before = run('tc', '-j', 'qdisc', 'show');
      await shape({ rate });
      for (const address of rig.addresses) {
        const { numbers, tookMs } = await rig.hears(1, address, 200, { size: 972, burst: 200 });
        assert.ok(numbers.length >= 50 && numbers.length < 120, `${numbers.length} passed`);
        for (const [at, took] of tookMs.entries()) {
          const soonest = (at - 11) * 10;
          assert.ok(took >= soonest - 100, `number ${at} after ${took} ms, not before ${soonest}`);
        }
        assert.equal(await bystander(shaped, 200), 200);
      }
      const { packets } = await hands.ask({
        query: 'packetCounters',
        backend: 'nft',
        table: ownToken('shape'),
        peers: [{ name: 'n1', addresses: rig.addresses }],
      });
      assert.equal(packets['n1'], 400);
      await hands.perform(release('shape'));
      assert.equal(run('tc', '-j', 'qdisc', 'show'), before);
      assert.equal(run('nft', 'list', 'ruleset'), '');
      const { numbers } = await rig.hears(1, rig.nodes[0].address, 200, { size: 972, burst: 50 });
      assert.equal(numbers.length, 200);
    });

    onNode('priorities of their own do not take packets out, nor others in', async (shaped) => {
      const { rig, shape, run } = shaped;
      await shape({
        rate: { ...rate, bytesPerSecond: 1_000, burstBytes: 2_000, latencyUs: 1_000_000 },
      });
      // A program that sets SO_PRIORITY, as interactive ones do.
      const send = (address: string): string =>
        'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);' +
        's.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 6);' +
        `[s.sendto(bytes(972), ("${address}", ${PORT})) for _ in range(100)]`;
      const [one, , three] = rig.nodes;
      run('python3', '-c', send(one.address));
      run('python3', '-c', send(three.address));
      const heard = (await rig.peers[0].settled(PORT)).numbers.length;
      assert.ok(heard < 20, `${heard} of 100 through 1 kB/s`);
      assert.equal((await rig.peers[2].settled(PORT)).numbers.length, 100);
    });

    onNode('nobody refreshes: the kernel ends it, whatever stands in the tree', async (shaped) => {
      const { rig, shape, hands } = shaped;
      const slow = { ...rate, bytesPerSecond: 1_000, burstBytes: 2_000 };
      await shape({ rate: slow }, { timeoutMs: 2_000 });
      const address = rig.nodes[0].address;
      await until('packets to pass', async () => {
        const { numbers } = await rig.hears(1, address, 50, { size: 972, burst: 50 });
        return numbers.length === 50;
      });
      const trees = await hands.leftovers();
      assert.ok(
        trees.some(({ remove }) => remove.act === 'shaping.release'),
        'the tree is there',
      );
    });

    onNode('two faults at two peers: one ends, and the other stays', async (shaped) => {
      const { rig, shape, hands } = shaped;
      const [one, , three] = rig.nodes;
      const slow = { ...rate, bytesPerSecond: 1_000, burstBytes: 2_000 };
      await shape({ rate: slow });
      const peers = [{ name: 'n3', ipv4: [three.address], ipv6: [three.address6] }];
      await shape({ rate: slow }, { table: ownToken('second'), faultId: 'shape-2', peers });
      assert.ok((await bystander(shaped, 50)) < 50);
      await hands.perform(release('shape'));
      assert.equal((await rig.hears(1, one.address, 50, { size: 972 })).numbers.length, 50);
      await rig.peers[1].send(three.address, PORT, 50, { size: 972 });
      const held = (await rig.peers[2].settled(PORT)).numbers.length;
      assert.ok(held < 20, `${held} of 50`);
    });

    onNode('a qdisc that somebody has made is refused, and never deleted', async (shaped) => {
      const { shape, hands, run, rig } = shaped;
      // It goes with the namespace: this test is the last.
      run('tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'handle', '1:', 'htb', 'default', '1');
      const before = run('tc', '-j', 'qdisc', 'show', 'dev', 'eth0');
      await assert.rejects(
        shape({ rate }),
        (error) => error instanceof Failure && error.code === 'qdisc-foreign' && error.definite,
      );
      const address = rig.nodes[0].address;
      const { foreign } = await hands.ask({ query: 'egress', addresses: [address] });
      assert.match(foreign['eth0'] ?? '', /htb 1:/);
      await hands.perform(release('shape'));
      assert.equal(run('tc', '-j', 'qdisc', 'show', 'dev', 'eth0'), before);
    });
  },
);

suite(
  'packets shaped by netem on a real kernel',
  { skip: lacks('root', 'namespaces', 'nft', 'netem', 'ipv6') },
  () => {
    after(close);

    onNode('delay and loss, one after the other and both at once', async (shaped) => {
      const { rig, shape, hands } = shaped;
      const even = { jitterUs: 0, distribution: 'uniform', correlation: NEVER } as const;
      await shape({ delay: { latencyUs: 80_000, ...even } });
      for (const address of rig.addresses) {
        const { numbers, tookMs } = await rig.hears(1, address, MANY);
        assert.equal(numbers.length, MANY);
        assert.ok(Math.min(...tookMs) >= 80, `none earlier: ${Math.min(...tookMs)}`);
      }
      await shape({ loss: tenth }, { table: ownToken('second'), faultId: 'shape-2' });
      const both = await rig.hears(1, rig.nodes[0].address, MANY);
      const spread = 5 * Math.sqrt(MANY * 0.1 * 0.9);
      assert.ok(
        Math.abs(MANY - both.numbers.length - MANY / 10) <= spread,
        `${both.numbers.length}`,
      );
      assert.ok(Math.min(...both.tookMs) >= 80);
      assert.equal(await bystander(shaped, 500), 500);
      await hands.perform(release('shape'));
      const { tookMs } = await rig.hears(1, rig.nodes[0].address, 500);
      assert.ok(tookMs.some((ms) => ms < 80));
    });

    onNode('duplicates and damage: the share asked for', async ({ rig, shape, hands }) => {
      const spread = 5 * Math.sqrt(MANY * 0.1 * 0.9);
      await shape({ duplicate: tenth });
      const doubled = await rig.hears(1, rig.nodes[0].address, MANY);
      assert.ok(Math.abs(doubled.numbers.length - MANY * 1.1) <= spread);
      await hands.perform(release('shape'));
      await shape({ corrupt: { ...tenth, bytes: 1, checksum: 'kept' } });
      const damaged = await rig.hears(1, rig.nodes[0].address, MANY);
      assert.ok(damaged.numbers.length < MANY);
    });
  },
);
