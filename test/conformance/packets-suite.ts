import assert from 'node:assert/strict';
import { suite } from 'node:test';
import { Failure } from '../../src/core/base/failure.ts';
import type { Act } from '../../src/core/model/act.ts';
import type { SteerTable } from '../../src/core/model/act-packets.ts';
import { ownToken } from '../support/own-token.ts';
import { benchTests, ours, type Bench } from './linux-suite.ts';

function steerOf(timeoutMs: number): SteerTable {
  const ports = { local: [9092], remote: [9092] };
  return {
    table: ownToken('suite6'),
    faultId: 'suite-1',
    peers: [
      { name: 'n2', ipv4: ['198.51.100.2'], ipv6: ['2001:db8:51::2'], agentPort: 8611 },
      { name: 'n3', ipv4: ['198.51.100.3'], ipv6: [], ports },
    ],
    control: { coordinatorAddresses: ['198.51.100.9', '2001:db8:51::9'], agentPort: 8611 },
    protocol: 'tcp',
    timeoutMs,
  };
}

const HALF = {
  ratio: { numerator: 1, denominator: 2 },
  correlation: { numerator: 0, denominator: 1 },
};

/** What both implementations promise of packet processes. */
export function packetsSuite(
  name: string,
  open: () => Promise<Bench>,
  skip: string | false = false,
): void {
  const onBench = benchTests(open);
  suite(`packets: ${name}`, { skip }, () => {
    onBench(
      'packets are steered once or twice, found, and released once or twice',
      async (bench) => {
        const { linux } = bench;
        const steer = steerOf(60_000);
        const start: Act = { act: 'packets.steer', steer, shape: { loss: HALF }, seed: 1 };
        const refresh: Act = { act: 'packets.refresh', steer };
        const release: Act = { act: 'packets.release', token: steer.table };
        await linux.perform(release);
        await linux.perform(refresh);
        assert.equal(await linux.holds(start), false);
        assert.equal(await linux.holds(release), true);
        await linux.perform(start);
        await linux.perform(start);
        await linux.perform(refresh);
        assert.equal(await linux.holds(start), true);
        assert.equal(await linux.holds(release), false);
        const counts = await linux.ask({ query: 'steeredPackets', token: steer.table });
        assert.equal(counts.running, true);
        assert.deepEqual(counts.steered, { n2: 0, n3: 0 });
        const left = await ours(linux);
        assert.ok(left.some(({ act }) => act === 'packets.release'));
        for (const remove of left) await linux.perform(remove);
        assert.deepEqual(await ours(linux), []);
        await linux.perform(release);
        assert.equal(await linux.holds(start), false);
        assert.equal(await linux.holds(release), true);
        const none = await linux.ask({ query: 'steeredPackets', token: steer.table });
        assert.equal(none.running, false);
      },
    );

    onBench('steering that nobody refreshes ends by itself, and is not revived', async (bench) => {
      const { linux } = bench;
      const steer = steerOf(2_000);
      await linux.perform({ act: 'packets.steer', steer, shape: { loss: HALF }, seed: 1 });
      await bench.pass(3_000);
      assert.equal(await linux.holds({ act: 'packets.refresh', steer }), false);
      await assert.rejects(
        linux.perform({ act: 'packets.refresh', steer }),
        (error) => error instanceof Failure && error.code === 'expired',
      );
      await linux.perform({ act: 'packets.release', token: steer.table });
      await linux.perform({ act: 'packets.refresh', steer });
      assert.deepEqual(await ours(linux), []);
    });
  });
}
