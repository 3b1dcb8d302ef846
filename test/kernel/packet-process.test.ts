import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Failure } from '../../src/core/base/failure.ts';
import type { Fraction } from '../../src/core/base/ratio.ts';
import type { Likelihood } from '../../src/core/model/packet-shape.ts';
import { lacks } from '../support/needs.ts';
import { ownToken } from '../support/own-token.ts';
import { PacketRig, PORT, processOf, TOKEN } from '../support/packet-rig.ts';
import { until } from '../support/until.ts';

const NONE = { numerator: 0, denominator: 1 };
const part = (numerator: number, denominator: number): Fraction => ({ numerator, denominator });
const likely = (numerator: number, denominator: number): Likelihood => ({
  ratio: part(numerator, denominator),
  correlation: NONE,
});
/** Enough that chance stays within a few percent, few enough for a busy machine. */
const MANY = 3_000;

let shared: PacketRig | undefined;

/** One network for all tests: each leaves it as it was. */
function onRig(title: string, body: (rig: PacketRig) => Promise<void>): void {
  test(title, async () => {
    if (!shared) {
      shared = new PacketRig();
      for (const port of [PORT, PORT + 1]) await shared.peers[0].listen(port);
    }
    try {
      await body(shared);
    } finally {
      await shared.release();
    }
  });
}

/** Within five standard deviations of what chance gives: once in a million honest runs it is not. */
function assertShare(found: number, of: number, ratio: number, what: string): void {
  const spread = 5 * Math.sqrt(of * ratio * (1 - ratio));
  const says = `${what}: ${found} of ${of}, asked for ${ratio * 100} %`;
  assert.ok(Math.abs(found - of * ratio) <= spread, says);
}

/** How many came after one that was sent later: nobody overtakes those that were not held. */
function overtakenIn(numbers: readonly number[]): number {
  let newest = -1;
  return numbers.filter((number) => {
    const late = number < newest;
    newest = Math.max(newest, number);
    return late;
  }).length;
}

suite(
  'packet process on a real kernel',
  { skip: lacks('root', 'namespaces', 'nft', 'ipset', 'ipv6', 'nfqueue') },
  () => {
    after(() => shared?.close());

    onRig('delay: every packet late, none lost, a bystander untouched', async (rig) => {
      await rig.shape({
        delay: { latencyUs: 80_000, jitterUs: 0, distribution: 'uniform', correlation: NONE },
      });
      for (const address of rig.addresses) {
        const { numbers, tookMs } = await rig.hears(1, address, MANY);
        assert.equal(numbers.length, MANY);
        assert.ok(Math.min(...tookMs) >= 80, `none earlier: ${Math.min(...tookMs)}`);
        assert.deepEqual(
          numbers,
          [...numbers].sort((a, b) => a - b),
        );
        const other = await rig.hears(2, address, MANY / 4);
        assert.equal(other.numbers.length, MANY / 4);
        const early = other.tookMs.filter((ms) => ms < 80).length;
        assert.ok(early > MANY / 8, `the bystander is not delayed: ${early}`);
      }
      const counts = await rig.counts();
      assert.deepEqual(counts.steered, { n2: 2 * MANY });
      assert.equal(counts.delayed, 2 * MANY);
      assert.equal(counts.untouched, 0);
      await rig.hands.perform({ act: 'packets.release', token: TOKEN });
      const { tookMs } = await rig.hears(1, rig.nodes[0].address, 500);
      assert.ok(tookMs.filter((ms) => ms < 80).length > 250, 'released');
      assert.deepEqual(await rig.leftovers(), []);
    });

    onRig('whoever has taken the name of its counters before keeps nobody from it', async (rig) => {
      const names = JSON.stringify([`${TOKEN}-packets`, `${TOKEN}-packets-`]);
      const squat = `for (const name of ${names}) require('net').createServer()
        .listen('\\0' + name, () => console.log(name))`;
      const other = rig.network.spawn(rig.nodes[0], [process.execPath, '-e', squat], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        let said = '';
        other.stdout?.on('data', (part: Buffer) => (said += part.toString('utf8')));
        await until('both names to be taken', () => said.split('\n').length === 3);
        await rig.shape({ loss: likely(1, 10) });
        assert.equal((await rig.counts()).running, true);
      } finally {
        other.kill('SIGKILL');
      }
    });

    onRig('jitter: as spread as asked, and out of order', async (rig) => {
      const delay = { latencyUs: 50_000, jitterUs: 20_000, correlation: NONE } as const;
      await rig.shape({ delay: { ...delay, distribution: 'uniform' } });
      for (const address of rig.addresses) {
        const { numbers, tookMs } = await rig.hears(1, address, MANY);
        assert.equal(numbers.length, MANY);
        const sorted = tookMs.sort((a, b) => a - b);
        assert.ok((sorted[0] ?? 0) >= 30, `none under 30 ms: ${sorted[0]}`);
        assert.ok((sorted[MANY / 10] ?? 0) < 50, `some under 50 ms: ${sorted[MANY / 10]}`);
        const spread = (sorted[(MANY * 9) / 10] ?? 0) - (sorted[MANY / 10] ?? 0);
        assert.ok(spread > 20, `spread over ${spread} ms`);
        const overtaken = numbers.filter((number, at) => number < (numbers[at - 1] ?? -1)).length;
        assert.ok(overtaken > MANY / 20, `${overtaken} overtaken`);
      }
    });

    onRig('loss: the share asked for, by chance and in bursts', async (rig) => {
      await rig.shape({ loss: likely(1, 10) });
      for (const [at, address] of rig.addresses.entries()) {
        const { numbers } = await rig.hears(1, address, MANY);
        assertShare(MANY - numbers.length, MANY, 0.1, 'lost');
        const bystander = await rig.hears(2, address, 500);
        assert.equal(bystander.numbers.length, 500);
        assert.equal((await rig.counts()).seen, MANY * (at + 1));
      }
      await rig.hands.perform({ act: 'packets.release', token: TOKEN });
      const [p, r] = [part(1, 100), part(1, 10)];
      await rig.shape({ loss: { p, r, h: NONE, k: part(1, 1) } });
      const { numbers } = await rig.hears(1, rig.nodes[0].address, MANY);
      const lost = MANY - numbers.length;
      // On average 1/11; bursts of ten make it ten times as uncertain.
      assert.ok(lost > MANY / 30 && lost < MANY / 4, `${lost} lost`);
      const there = new Set(numbers);
      const bursts = numbers.filter((number) => number > 0 && !there.has(number - 1)).length;
      assert.ok(lost / bursts > 4, `bursts of ${lost / bursts}`);
    });

    onRig('loss by the rules of a packet filter, the kernel drawing', async (rig) => {
      const steer = rig.steer();
      for (const backend of ['nft', 'iptables'] as const) {
        const rules = { ...steer, backend, how: 'drop', perMillion: 100_000 } as const;
        await rig.hands.perform({ act: 'netfilter.apply', rules });
        for (const address of rig.addresses) {
          const { numbers } = await rig.hears(1, address, MANY);
          assertShare(MANY - numbers.length, MANY, 0.1, `lost by ${backend}`);
          assert.equal((await rig.hears(2, address, 500)).numbers.length, 500);
        }
        await rig.hands.perform({ act: 'netfilter.delete', backend, table: TOKEN });
      }
    });

    onRig('the same seed loses the same packets', async (rig) => {
      const missing: number[][] = [];
      for (const _round of [1, 2]) {
        await rig.shape({ loss: likely(1, 20) });
        const { numbers } = await rig.hears(1, rig.nodes[0].address, 1_000);
        const there = new Set(numbers);
        missing.push(Array.from({ length: 1_000 }, (_, at) => at).filter((at) => !there.has(at)));
        await rig.hands.perform({ act: 'packets.release', token: TOKEN });
      }
      assert.ok((missing[0]?.length ?? 0) > 10);
      assert.deepEqual(missing[0], missing[1]);
    });

    onRig('duplicates: the share asked for, each a whole packet', async (rig) => {
      await rig.shape({ duplicate: likely(1, 10) });
      for (const address of rig.addresses) {
        const { numbers, damaged } = await rig.hears(1, address, MANY);
        assert.equal(new Set(numbers).size, MANY);
        assertShare(numbers.length - MANY, MANY, 0.1, 'doubled');
        assert.equal(damaged, 0);
      }
    });

    onRig('damage: dropped by the checksum, or delivered where it fits again', async (rig) => {
      // One byte: the sum finds every such change, and not every one of several.
      const corrupt = { ...likely(1, 10), bytes: 1 };
      for (const checksum of ['kept', 'remade'] as const) {
        await rig.shape({ corrupt: { ...corrupt, checksum } });
        for (const address of rig.addresses) {
          const { numbers, damaged } = await rig.hears(1, address, MANY, { size: 999 });
          assertShare(checksum === 'kept' ? MANY - numbers.length : damaged, MANY, 0.1, checksum);
          assert.equal(checksum === 'kept' ? damaged : MANY - numbers.length, 0, checksum);
        }
        await rig.hands.perform({ act: 'packets.release', token: TOKEN });
      }
    });

    onRig('reordering: those held are overtaken, by chance or by count', async (rig) => {
      const holdUs = 40_000;
      for (const chosen of [likely(1, 10), { gap: 10 }]) {
        await rig.shape({ reorder: { chosen, holdUs } });
        for (const address of rig.addresses) {
          const { numbers } = await rig.hears(1, address, MANY);
          assert.equal(new Set(numbers).size, MANY);
          assertShare(overtakenIn(numbers), MANY, 0.1, 'overtaken');
        }
        assertShare((await rig.counts()).reordered, 2 * MANY, 0.1, 'held');
        await rig.hands.perform({ act: 'packets.release', token: TOKEN });
      }
    });

    onRig('rate: a burst passes, the rest waits for its turn or is dropped', async (rig) => {
      const rate = { bytesPerSecond: 100_000, burstBytes: 10_000, latencyUs: 500_000 };
      for (const address of rig.addresses) {
        await rig.shape({ rate });
        // With its headers a datagram has 1000 bytes.
        const size = address.includes(':') ? 952 : 972;
        // All at once: 10 pass, 50 fit into half a second, the rest does not.
        const { numbers, tookMs } = await rig.hears(1, address, 200, { size, burst: 200 });
        assert.equal((await rig.counts()).overLimit, 200 - numbers.length);
        assert.ok(numbers.length >= 60 && numbers.length < 120, `${numbers.length} passed`);
        for (const [at, took] of tookMs.entries()) {
          const soonest = (at - 10) * 10;
          assert.ok(took >= soonest - 100, `number ${at} after ${took} ms, not before ${soonest}`);
        }
        assert.equal((await rig.hears(2, address, 200, { size })).numbers.length, 200);
        await rig.hands.perform({ act: 'packets.release', token: TOKEN });
      }
    });

    onRig('faults add up: two queues, one after the other', async (rig) => {
      const second = ownToken('second');
      await rig.shape({ loss: likely(1, 2) });
      const delay = { latencyUs: 60_000, jitterUs: 0, distribution: 'normal' } as const;
      const steer = rig.steer({ table: second });
      await rig.shape({ delay: { ...delay, correlation: NONE } }, steer);
      const { numbers, tookMs } = await rig.hears(1, rig.nodes[0].address, MANY);
      assertShare(numbers.length, MANY, 0.5, 'passed');
      assert.ok(Math.min(...tookMs) >= 60);
      await rig.hands.perform({ act: 'packets.release', token: TOKEN });
      const after = await rig.hears(1, rig.nodes[0].address, 500);
      assert.equal(after.numbers.length, 500);
      assert.ok(Math.min(...after.tookMs) >= 60);
    });

    onRig('only the ports and protocols named, and never the control path', async (rig) => {
      const delay = { latencyUs: 80_000, jitterUs: 0, distribution: 'uniform' } as const;
      const [, two] = rig.nodes;
      const peer = { name: 'n2', ipv4: [two.address], ipv6: [two.address6] };
      const ports = { local: [PORT], remote: [] };
      await rig.shape(
        { delay: { ...delay, correlation: NONE } },
        rig.steer({ protocol: 'udp', peers: [{ ...peer, ports }] }),
      );
      for (const address of rig.addresses) {
        const { tookMs } = await rig.hears(1, address, 200);
        assert.ok(Math.min(...tookMs) >= 80);
        await rig.peers[1].send(address, PORT + 1, 200);
        const others = await rig.peers[0].settled(PORT + 1);
        assert.ok(others.tookMs.filter((ms) => ms < 80).length > 100);
      }
    });

    onRig('released while it is starting, it never comes into force', async (rig) => {
      const started = rig.shape({ loss: likely(1, 1) });
      const rejected = assert.rejects(started, Failure);
      await until('it is there', () => processOf(TOKEN) > 0, { everyMs: 1 });
      await rig.hands.perform({ act: 'packets.release', token: TOKEN });
      assert.deepEqual(await rig.leftovers(), []);
      await rejected;
      assert.equal((await rig.hears(1, rig.nodes[0].address, 20)).numbers.length, 20);
    });

    onRig('killed, it fails open; stopped, the kernel ends the fault', async (rig) => {
      await rig.shape({ loss: likely(1, 1) }, rig.steer());
      const [address = ''] = rig.addresses;
      assert.equal((await rig.hears(1, address, 100)).numbers.length, 0);
      const pid = processOf(TOKEN);
      assert.ok(pid > 0);
      process.kill(pid, 'SIGKILL');
      await until(
        'packets pass',
        async () => (await rig.hears(1, address, 20)).numbers.length === 20,
      );
      assert.equal((await rig.counts()).running, false);
      await rig.hands.perform({ act: 'packets.release', token: TOKEN });
      await rig.shape({ loss: likely(1, 1) }, rig.steer({ timeoutMs: 3_000 }));
      await rig.handsDie();
      await until(
        'nobody refreshes',
        async () => (await rig.hears(1, address, 20)).numbers.length === 20,
      );
      await until('it has ended by itself', () => processOf(TOKEN) === 0);
    });
  },
);
