import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { ShapeTable } from '../../src/core/model/act-shaping.ts';
import type { AnswerTo } from '../../src/core/model/query.ts';
import { ownToken } from '../support/own-token.ts';
import { benchTests, ours, type Bench } from './linux-suite.ts';
import { expireAlone, liveOnce, type StandingActs } from './standing-life.ts';

const RATE = { bytesPerSecond: 125_000, burstBytes: 32_000, latencyUs: 500_000 };

/** @param device where a peer is reached. */
function shapingOf(device: string, more: Partial<ShapeTable> = {}): ShapeTable {
  const ports = { local: [9092], remote: [9092] };
  return {
    table: ownToken('suite7'),
    faultId: 'suite-1',
    peers: [
      { name: 'n2', ipv4: ['198.51.100.2'], ipv6: ['2001:db8:51::2'], agentPort: 8611 },
      { name: 'n3', ipv4: ['198.51.100.3'], ipv6: [], ports },
    ],
    control: { coordinatorAddresses: ['198.51.100.9', '2001:db8:51::9'], agentPort: 8611 },
    protocol: 'tcp',
    timeoutMs: 60_000,
    devices: [device],
    shape: { rate: RATE },
    ...more,
  };
}

function actsOf(shaping: ShapeTable): StandingActs {
  return {
    start: { act: 'shaping.apply', shaping },
    refresh: { act: 'shaping.refresh', shaping },
    release: { act: 'shaping.release', token: shaping.table },
  };
}

/**
 * What both implementations promise of packets that are shaped as they leave.
 * @param reached an address that the machine has a way to.
 */
export function shapingSuite(
  name: string,
  open: () => Promise<Bench>,
  reached: string,
  skip: string | false = false,
): void {
  const onBench = benchTests(open);
  const egressOf = (bench: Bench): Promise<AnswerTo<{ query: 'egress'; addresses: string[] }>> =>
    bench.linux.ask({ query: 'egress', addresses: [reached] });
  const deviceOf = async (bench: Bench): Promise<string> =>
    (await egressOf(bench)).devices[reached] ?? '';

  suite(`shaping: ${name}`, { skip }, () => {
    onBench(
      'packets are shaped once or twice, found, and released once or twice',
      async (bench) => {
        const shaping = shapingOf(await deviceOf(bench));
        const { table } = shaping;
        const peers = shaping.peers.map(({ name: node, ipv4, ipv6 }) => ({
          name: node,
          addresses: [...ipv4, ...ipv6],
        }));
        await liveOnce(bench, actsOf(shaping), async () => {
          const counters = { query: 'packetCounters', backend: 'nft', table, peers } as const;
          assert.deepEqual((await bench.linux.ask(counters)).packets, { n2: 0, n3: 0 });
          const { shapers, foreign } = await egressOf(bench);
          assert.deepEqual(shapers, [{ faultId: 'suite-1', sort: 'rate', peers: ['n2', 'n3'] }]);
          assert.deepEqual(foreign, {});
        });
        assert.deepEqual((await egressOf(bench)).shapers, []);
      },
    );

    onBench('shaping that nobody refreshes ends by itself, and is not revived', async (bench) =>
      expireAlone(bench, actsOf(shapingOf(await deviceOf(bench), { timeoutMs: 2_000 }))),
    );

    onBench('one of two faults ends, and the other stays as it is', async (bench) => {
      const { linux } = bench;
      const device = await deviceOf(bench);
      const [peer, other] = shapingOf(device).peers;
      assert.ok(peer && other);
      const one = shapingOf(device, { peers: [peer] });
      const two = shapingOf(device, { table: ownToken('suite8'), peers: [other] });
      await linux.perform({ act: 'shaping.apply', shaping: one });
      await linux.perform({ act: 'shaping.apply', shaping: two });
      await linux.perform({ act: 'shaping.release', token: one.table });
      assert.equal(await linux.holds({ act: 'shaping.apply', shaping: two }), true);
      assert.equal(await linux.holds({ act: 'shaping.apply', shaping: one }), false);
      assert.equal(await linux.holds({ act: 'shaping.release', token: one.table }), true);
      await linux.perform({ act: 'shaping.release', token: two.table });
      assert.deepEqual(await ours(linux), []);
    });
  });
}
