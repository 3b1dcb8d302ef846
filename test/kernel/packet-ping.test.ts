import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { PacketShape } from '../../src/core/model/packet-shape.ts';
import { lacks } from '../support/needs.ts';
import { ownToken } from '../support/own-token.ts';
import { PacketRig } from '../support/packet-rig.ts';
import { pingMs } from '../support/ping.ts';

const LATE_MS = 80;
const PINGS = 3;
const DELAY: PacketShape = {
  delay: {
    latencyUs: LATE_MS * 1000,
    jitterUs: 0,
    distribution: 'uniform',
    correlation: { numerator: 0, denominator: 1 },
  },
};

/** What n2 sends to n1 is late, and n1 acts. ping's own clock must say so on either side. */
suite(
  'ping sees a delay',
  { skip: lacks('root', 'namespaces', 'nft', 'nfqueue', 'ipv6', 'ping') },
  () => {
    let rig: PacketRig;
    before(() => (rig = new PacketRig()));
    after(() => rig.close());

    /** Pings from one node to another, by either family. */
    const ping = (from: 0 | 1 | 2, to: 0 | 1 | 2): number[][] => {
      const [sender, { address, address6 }] = [rig.nodes[from], rig.nodes[to]];
      return [address, address6].map((each) => pingMs(rig.network, sender, each, PINGS));
    };
    const assertLate = (found: number[][], leastMs: number): void => {
      for (const times of found) {
        assert.equal(times.length, PINGS);
        assert.ok(Math.min(...times) >= leastMs, `none under ${leastMs} ms: ${times.join()}`);
      }
    };

    test('from either side, each exchange held once; a bystander is not late', async () => {
      await rig.shape(DELAY, rig.steer({ requestsLate: true }));
      assertLate(ping(0, 1), LATE_MS);
      assert.equal((await rig.counts()).delayed, 2 * PINGS);
      assertLate(ping(1, 0), LATE_MS);
      const { delayed, seen, steered } = await rig.counts();
      assert.deepEqual([delayed, seen, steered], [4 * PINGS, 4 * PINGS, { n2: 4 * PINGS }]);
      for (const [from, to] of [
        [0, 2],
        [2, 0],
        [0, 0],
      ] as const)
        ping(from, to);
      assert.equal((await rig.counts()).seen, 4 * PINGS);
      await rig.release();
      ping(0, 1);
      assert.deepEqual(await rig.leftovers(), []);
    });

    test('two faults add up', async () => {
      await rig.shape(DELAY, rig.steer({ requestsLate: true }));
      const second = ownToken('second');
      await rig.shape(DELAY, rig.steer({ table: second, requestsLate: true }));
      assertLate(ping(0, 1), 2 * LATE_MS);
      assertLate(ping(1, 0), 2 * LATE_MS);
      await rig.hands.perform({ act: 'packets.release', token: second });
      assertLate(ping(0, 1), LATE_MS);
      await rig.release();
    });
  },
);
