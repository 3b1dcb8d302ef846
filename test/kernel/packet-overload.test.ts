import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import type { PacketShape } from '../../src/core/model/packet-shape.ts';
import { lacks } from '../support/needs.ts';
import { PacketRig, PORT, processOf, TOKEN } from '../support/packet-rig.ts';
import { until } from '../support/until.ts';

const NONE = { numerator: 0, denominator: 1 };
const LATE: PacketShape = {
  delay: { latencyUs: 300_000, jitterUs: 0, distribution: 'uniform', correlation: NONE },
};

/** A packet process with less room than any has, there before the fault, which takes it. */
async function startNarrow(rig: PacketRig, room: object): Promise<void> {
  const work = { shape: LATE, seed: 1, peers: [], timeoutMs: 60_000, priority: 0, room };
  const options = JSON.stringify({ ...work, queue: 15_000, faultId: 'packets-1' });
  const script = join(import.meta.dirname, '..', '..', 'src', 'bin', 'packets.ts');
  const argv = [process.execPath, script, '--token', TOKEN, options];
  const child = rig.network.spawn(rig.nodes[0], argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const word = await new Promise((resolve) => child.stdout?.once('data', resolve));
  assert.equal(String(word), 'ready\n');
}

let shared: PacketRig | undefined;

function onRig(title: string, body: (rig: PacketRig) => Promise<void>): void {
  test(title, async () => {
    if (!shared) {
      shared = new PacketRig();
      await shared.peers[0].listen(PORT);
    }
    try {
      await body(shared);
    } finally {
      await shared.release();
    }
  });
}

suite(
  'more packets than a packet process may hold',
  { skip: lacks('root', 'namespaces', 'nft', 'ipv6', 'nfqueue') },
  () => {
    after(() => shared?.close());

    onRig('more bytes than may be held: the rest passes at once, and is counted', async (rig) => {
      const [size, bytes] = [972, 50_000];
      await startNarrow(rig, { unread: 1_000, packets: 1_000, bytes });
      await rig.shape(LATE);
      const { numbers, tookMs } = await rig.hears(1, rig.nodes[0].address, 300, {
        size,
        burst: 300,
      });
      assert.equal(numbers.length, 300);
      const { untouched, delayed, steered, held } = await rig.counts();
      assert.deepEqual(steered, { n2: 300 });
      assert.equal(untouched + delayed, 300);
      assert.equal(held, 0);
      // With its headers a datagram has 1000 bytes: 50 at once, and more only where time has passed.
      assert.ok(delayed >= 50 && delayed < 250, `${delayed} held`);
      assert.equal(tookMs.filter((ms) => ms >= 300).length >= delayed, true);
    });

    onRig('more packets than the queue takes: they pass, and are counted', async (rig) => {
      await startNarrow(rig, { unread: 20, packets: 1_000, bytes: 1e9 });
      await rig.shape(LATE);
      const pid = processOf(TOKEN);
      process.kill(pid, 'SIGSTOP');
      await rig.peers[1].send(rig.nodes[0].address, PORT, 500);
      const early = await rig.peers[0].settled(PORT);
      assert.equal(early.numbers.length, 480, 'it holds 20 and hears nothing');
      process.kill(pid, 'SIGCONT');
      const late = await until('those held pass', async () => {
        const { numbers } = await rig.peers[0].take(PORT);
        return numbers.length === 20 && numbers;
      });
      assert.deepEqual(
        late,
        Array.from({ length: 20 }, (_, number) => number),
      );
      // What may be on its way is not counted.
      assert.equal((await rig.counts()).untouched, 380);
      await rig.peers[0].take(PORT, true);
    });
  },
);
