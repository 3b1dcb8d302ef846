import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { SteerTable } from '../../src/core/model/act-packets.ts';
import type { PacketCounts } from '../../src/core/model/query-packets.ts';
import { ownToken } from '../support/own-token.ts';
import { benchTests, type Bench } from './linux-suite.ts';
import { expireAlone, liveOnce, type StandingActs } from './standing-life.ts';

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

function actsOf(timeoutMs: number): StandingActs & { steer: SteerTable } {
  const steer = steerOf(timeoutMs);
  return {
    steer,
    start: { act: 'packets.steer', steer, shape: { loss: HALF }, seed: 1 },
    refresh: { act: 'packets.refresh', steer },
    release: { act: 'packets.release', token: steer.table },
  };
}

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
        const { steer, ...acts } = actsOf(60_000);
        const counts = (): Promise<PacketCounts> =>
          bench.linux.ask({ query: 'steeredPackets', token: steer.table });
        await liveOnce(bench, acts, async () => {
          const { running, steered } = await counts();
          assert.equal(running, true);
          assert.deepEqual(steered, { n2: 0, n3: 0 });
        });
        assert.equal((await counts()).running, false);
      },
    );

    onBench('steering that nobody refreshes ends by itself, and is not revived', (bench) =>
      expireAlone(bench, actsOf(2_000)),
    );
  });
}
