import assert from 'node:assert/strict';
import { suite } from 'node:test';
import {
  EVERY_PACKET,
  NETFILTER_BACKENDS,
  type NetfilterBackend,
  type RuleTable,
} from '../../src/core/model/act-netfilter.ts';
import type { Act } from '../../src/core/model/act.ts';
import { rulesLeft } from '../support/net-rig.ts';
import { benchTests, fails, type Bench } from './linux-suite.ts';

function rulesOf(backend: RuleTable['backend'], timeoutMs: number): RuleTable {
  return {
    backend,
    protocol: 'all',
    how: 'drop',
    perMillion: EVERY_PACKET,
    table: 'faultline-suite1',
    faultId: 'suite-1',
    peers: [
      { name: 'n2', ipv4: ['198.51.100.2'], ipv6: ['2001:db8:51::2'], agentPort: 8611 },
      { name: 'n3', ipv4: ['198.51.100.3'], ipv6: [] },
    ],
    control: { coordinatorAddresses: ['198.51.100.9', '2001:db8:51::9'], agentPort: 8611 },
    timeoutMs,
  };
}

/** More than one multiport match of iptables takes. */
const MANY_PORTS = {
  local: [9092],
  remote: Array.from({ length: 20 }, (_, index) => 1000 + index),
};

/** What every backend promises, on the real kernel and in memory. */
export function netfilterSuite(
  name: string,
  open: () => Promise<Bench>,
  options: { skip?: string | false; backends?: readonly NetfilterBackend[] } = {},
): void {
  const backends = options.backends ?? NETFILTER_BACKENDS;
  const onBench = benchTests(open);
  suite(`packet rules: ${name}`, { skip: options.skip ?? false }, () => {
    for (const backend of backends) {
      const withBackend = `(${backend})`;
      onBench(`rules are made once or twice, found, and deleted ${withBackend}`, async (bench) => {
        const { linux } = bench;
        const rules = rulesOf(backend, 60_000);
        const apply: Act = { act: 'netfilter.apply', rules };
        const remove: Act = { act: 'netfilter.delete', backend, table: rules.table };
        const peers = rules.peers.map(({ name, ipv4, ipv6 }) => {
          return { name, addresses: [...ipv4, ...ipv6] };
        });
        const query = { query: 'packetCounters' as const, backend, table: rules.table, peers };
        assert.equal(await linux.holds(apply), false);
        await linux.perform(remove);
        await linux.perform(apply);
        await linux.perform(apply);
        assert.equal(await linux.holds(apply), true);
        assert.equal(await linux.holds(remove), false);
        const [leftover, ...more] = await rulesLeft(linux);
        assert.deepEqual(more, []);
        assert.equal(leftover?.faultId, 'suite-1');
        assert.deepEqual((await linux.ask(query)).packets, { n2: 0, n3: 0 });
        if (leftover) await linux.perform(leftover.remove);
        await linux.perform(remove);
        assert.equal(await linux.holds(apply), false);
        assert.equal(await linux.holds(remove), true);
        assert.deepEqual((await linux.ask(query)).packets, {});
        assert.deepEqual(await rulesLeft(linux), []);
      });

      onBench(`whatever a rule can be, it is accepted ${withBackend}`, async (bench) => {
        const { linux } = bench;
        for (const how of ['drop', 'reject', 'reset', 'swallow-resets'] as const) {
          for (const protocol of ['tcp', 'udp', 'all'] as const) {
            const rules: RuleTable = { ...rulesOf(backend, 60_000), how, protocol };
            if (protocol === 'udp') rules.perMillion = 1;
            // One peer by many ports, one by none: all that a rule can be in one table.
            for (const peer of rules.peers.slice(0, 1)) peer.ports = MANY_PORTS;
            const apply: Act = { act: 'netfilter.apply', rules };
            await linux.perform(apply);
            assert.equal(await linux.holds(apply), true);
          }
          await linux.perform({ act: 'netfilter.delete', backend, table: 'faultline-suite1' });
          assert.deepEqual(await rulesLeft(linux), []);
        }
      });

      onBench(`in turn on and off ${withBackend}`, async (bench) => {
        const { linux } = bench;
        const often = { leastMs: 100, mostMs: 200 };
        const timeline = { flap: { seed: 'suite', on: often, off: often }, ends: { n3: 150 } };
        const rules: RuleTable = { ...rulesOf(backend, 60_000), timeline };
        const apply: Act = { act: 'netfilter.apply', rules };
        await linux.perform(apply);
        for (let round = 0; round < 4; round++) {
          assert.equal(await linux.holds(apply), true);
          await linux.perform({ act: 'netfilter.refresh', rules });
          await bench.pass(130);
        }
        await linux.perform({ act: 'netfilter.delete', backend, table: rules.table });
        await bench.pass(400);
        assert.deepEqual(await rulesLeft(linux), []);
      });
    }

    for (const backend of backends.filter((one) => one !== 'iptables-plain')) {
      onBench(
        `elements expire; refreshing keeps them, never revives (${backend})`,
        async (bench) => {
          const { linux } = bench;
          const rules = rulesOf(backend, 2_000);
          const apply: Act = { act: 'netfilter.apply', rules };
          const refresh: Act = { act: 'netfilter.refresh', rules };
          await linux.perform(apply);
          await bench.pass(1_000);
          await linux.perform(refresh);
          await bench.pass(1_300);
          assert.equal(await linux.holds(apply), true);
          await bench.pass(2_000);
          assert.equal(await linux.holds(apply), false);
          await fails('expired', linux.perform(refresh));
          assert.equal(await linux.holds(apply), false);
          await linux.perform({ act: 'netfilter.delete', backend, table: rules.table });
          await linux.perform(refresh);
          assert.deepEqual(await rulesLeft(linux), []);
        },
      );
    }
  });
}
