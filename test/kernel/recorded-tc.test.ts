import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Failure } from '../../src/core/base/failure.ts';
import type { ShapeTable } from '../../src/core/model/act-shaping.ts';
import type { PacketShape } from '../../src/core/model/packet-shape.ts';
import { LinuxInNetns } from '../support/linux-in-netns.ts';
import { lacks } from '../support/needs.ts';
import { TestNetwork, type TestNode } from '../support/netns.ts';
import { isOwn, ownToken } from '../support/own-token.ts';
import { TcRecorder } from '../support/tc-recorder.ts';

const NEVER = { numerator: 0, denominator: 1 };
const DELAY: PacketShape = {
  delay: { latencyUs: 50_000, jitterUs: 0, distribution: 'uniform', correlation: NEVER },
};
const LOSS: PacketShape = {
  loss: { ratio: { numerator: 1, denominator: 100 }, correlation: NEVER },
};
const STANDARD = { kind: 'noqueue', handle: '0:', dev: 'eth0', root: true, options: {} };
const OPEN = 'htb rate 32gbit ceil 32gbit burst 1mb cburst 1mb quantum 60000';

/** The netem commands, where the kernel has none: nft and everything else are real. */
suite(
  'packets shaped by a recorded tc',
  { skip: lacks('root', 'namespaces', 'nft', 'ipv6') },
  () => {
    const tc = new TcRecorder();
    const keep = (...qdiscs: object[]): void => tc.keep(...qdiscs);
    const qdiscs = (): object[] => tc.qdiscs();
    const told = (): string[] => tc.told();
    let network: TestNetwork;
    let hands: LinuxInNetns;

    function shapingOf(name: string, shape: PacketShape): ShapeTable {
      const [one] = network.nodes as [TestNode];
      return {
        table: ownToken(name),
        faultId: name,
        peers: [{ name: 'n1', ipv4: [one.address], ipv6: [one.address6] }],
        control: { coordinatorAddresses: [], agentPort: 1 },
        protocol: 'all',
        timeoutMs: 60_000,
        devices: ['eth0'],
        shape,
      };
    }
    const apply = (name: string, shape: PacketShape): Promise<void> =>
      hands.perform({ act: 'shaping.apply', shaping: shapingOf(name, shape) });
    const release = (name: string): Promise<void> =>
      hands.perform({ act: 'shaping.release', token: ownToken(name) });

    before(() => {
      network = new TestNetwork('fltc', 2, 45);
      const path = process.env['PATH'] ?? '';
      process.env['PATH'] = tc.path;
      hands = new LinuxInNetns(network, network.nodes[1] as TestNode);
      process.env['PATH'] = path;
    });
    after(async () => {
      await hands.close();
      network.close();
      tc.close();
    });

    test('delay, loss beside it, and each undone by itself', async () => {
      await apply('delay', DELAY);
      assert.deepEqual(told(), [
        'qdisc add dev eth0 root handle fa17: htb default 0',
        `class replace dev eth0 parent fa17: classid fa17:11 ${OPEN}`,
        'qdisc replace dev eth0 parent fa17:11 handle 11: netem limit 50000 delay 50000us',
      ]);
      assert.deepEqual(qdiscs()[1], {
        kind: 'netem',
        handle: '11:',
        dev: 'eth0',
        parent: 'fa17:11',
        options: {
          limit: 50_000,
          delay: { delay: 0.05, jitter: 0, correlation: 0 },
          ecn: false,
          gap: 0,
        },
      });
      await apply('delay', DELAY);
      assert.deepEqual(told(), [], 'what is there is left alone');
      await apply('loss', LOSS);
      assert.deepEqual(told(), [
        `class replace dev eth0 parent fa17: classid fa17:12 ${OPEN}`,
        'qdisc replace dev eth0 parent fa17:12 handle 12: netem limit 50000 loss random 1%',
        `class replace dev eth0 parent fa17: classid fa17:13 ${OPEN}`,
        'qdisc replace dev eth0 parent fa17:13 handle 13: netem limit 50000 delay 50000us loss random 1%',
      ]);
      await release('delay');
      assert.deepEqual(told(), [
        'class del dev eth0 classid fa17:11',
        'class del dev eth0 classid fa17:13',
      ]);
      assert.ok(await hands.holds({ act: 'shaping.apply', shaping: shapingOf('loss', LOSS) }));
      await release('loss');
      assert.deepEqual(told(), ['qdisc del dev eth0 root handle fa17:']);
      assert.deepEqual(qdiscs(), [STANDARD]);
      await release('loss');
      assert.deepEqual(told(), []);
    });

    test('what a crash has left is found, and made anew by whoever takes its place', async () => {
      await apply('delay', DELAY);
      // The table is gone (the machine’s owner flushed it), the tree is not.
      await hands.perform({ act: 'netfilter.delete', backend: 'nft', table: ownToken('delay') });
      told();
      assert.equal(await hands.holds({ act: 'shaping.release', token: ownToken('delay') }), false);
      const left = await hands.leftovers();
      assert.ok(
        left.some(({ says }) => says.includes('fa17: on eth0')),
        JSON.stringify(left),
      );
      await apply('loss', LOSS);
      assert.deepEqual(told(), [
        'class del dev eth0 classid fa17:11',
        `class replace dev eth0 parent fa17: classid fa17:11 ${OPEN}`,
        'qdisc replace dev eth0 parent fa17:11 handle 11: netem limit 50000 loss random 1%',
      ]);
      await release('loss');
      assert.deepEqual((await hands.leftovers()).filter(isOwn), []);
      assert.deepEqual(qdiscs(), [STANDARD]);
      told();
    });

    test('the same sort twice at one peer, and a foreign root, are refused untouched', async () => {
      await apply('delay', DELAY);
      told();
      const refused = (code: string) => (error: unknown) =>
        error instanceof Failure && error.code === code && error.definite;
      await assert.rejects(apply('other', DELAY), refused('shaped-already'));
      assert.deepEqual(told(), []);
      await release('delay');
      told();
      const theirs = { ...STANDARD, kind: 'fq', handle: '8001:' };
      keep(theirs);
      await assert.rejects(apply('delay', DELAY), refused('qdisc-foreign'));
      await release('delay');
      assert.deepEqual(told(), []);
      assert.deepEqual(qdiscs(), [theirs]);
      keep(STANDARD);
    });

    test('a tc that fails half-way leaves what the undo takes away', async () => {
      keep({ ...STANDARD, kind: 'htb', handle: 'fa17:' });
      await release('delay');
      assert.deepEqual(told(), ['qdisc del dev eth0 root handle fa17:']);
      assert.deepEqual(qdiscs(), [STANDARD]);
    });
  },
);
