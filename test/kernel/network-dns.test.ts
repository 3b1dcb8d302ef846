import assert from 'node:assert/strict';
import { suite } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../src/core/base/failure.ts';
import type { DnsAnswer } from '../../src/core/model/act-dns.ts';
import type { Act } from '../../src/core/model/act.ts';
import type { Query } from '../../src/core/model/query.ts';
import { lacks } from '../support/needs.ts';
import { rigTests } from '../support/net-rig.ts';
import { until } from '../support/until.ts';

const TRUE = '198.51.100.7';
const TOKEN = `faultline-dns${process.pid}`;

for (const { backend, iptables } of [
  { backend: 'nft', iptables: 'iptables-nft' },
  { backend: 'iptables', iptables: 'iptables-legacy' },
] as const) {
  const skip = lacks('root', 'namespaces', 'nft', 'ipv6', 'ipset', iptables);
  suite(`network.dns by ${backend} on a real kernel`, { skip }, () => {
    const onRig = rigTests({ prefix: 'fldns', iptables });
    const stop: Act = { act: 'dns.stop', token: TOKEN, backend };
    const answerWith = (resolvers: string[], answer: DnsAnswer, timeoutMs = 60_000): Act => ({
      act: 'dns.answer',
      orders: {
        backend,
        table: TOKEN,
        faultId: 'dns-1',
        names: ['lost.example', '*.far.example'],
        answer,
        resolvers,
        timeoutMs,
      },
    });

    onRig('listed names are answered, others by the real resolver', async (rig) => {
      const [one, two, three] = [rig.at(1), rig.at(2), rig.at(3)];
      await two.peer.dnsServe(TRUE);
      await three.peer.dnsServe(TRUE);
      const resolvers = [two.node.address, two.node.address6];
      const answers = [
        ['nxdomain', 'rcode 3'],
        ['servfail', 'rcode 2'],
        [{ address: '192.0.2.9' }, '192.0.2.9'],
        [{ address: '2001:db8::9' }, 'rcode 0'],
      ] as const;
      for (const [answer, expected] of answers) {
        const act = answerWith(resolvers, answer);
        await one.hands.perform(act);
        assert.equal(await one.hands.holds(act), true);
        const words = await Promise.all(
          resolvers.flatMap((server) =>
            [false, true].flatMap((tcp) => [
              one.peer.resolve(server, 'lost.example', tcp),
              one.peer.resolve(server, 'a.b.far.example', tcp),
              one.peer.resolve(server, 'kept.example', tcp),
            ]),
          ),
        );
        assert.deepEqual(words, Array.from({ length: 4 }, () => [expected, expected, TRUE]).flat());
        const peers = [{ name: 'dns', addresses: [] }];
        const query: Query = { query: 'packetCounters', backend, table: TOKEN, peers };
        assert.ok(((await one.hands.ask(query)).packets['dns'] ?? 0) >= 12);
        // Another server, and another node's queries, are not met.
        assert.equal(await one.peer.resolve(three.node.address, 'lost.example', false), TRUE);
        assert.equal(await three.peer.resolve(two.node.address, 'lost.example', false), TRUE);
        await one.hands.perform(stop);
        await one.hands.perform(stop);
        assert.equal(await one.hands.holds(stop), true);
        assert.equal(await one.peer.resolve(two.node.address, 'lost.example', false), TRUE);
      }
      await one.hands.perform(answerWith(resolvers, 'timeout'));
      assert.equal(await one.peer.resolve(two.node.address, 'lost.example', false), 'silent');
      await one.hands.perform(stop);
    });

    onRig('stopped while it is starting, it never comes into force', async (rig) => {
      const [one, two] = [rig.at(1), rig.at(2)];
      const started = one.hands.perform(answerWith([two.node.address], 'nxdomain'));
      const rejected = assert.rejects(started, Failure);
      await one.hands.perform(stop);
      assert.equal(await one.hands.holds(stop), true);
      await rejected;
      assert.equal(await one.peer.resolve(two.node.address, 'lost.example', false), TRUE);
    });

    onRig('nobody asks for it any more, or it is killed: queries pass again', async (rig) => {
      const [one, two] = [rig.at(1), rig.at(2)];
      const resolvers = [two.node.address];
      const passes = async (): Promise<boolean> =>
        (await one.peer.resolve(two.node.address, 'lost.example', false)) === TRUE;
      const act = answerWith(resolvers, 'nxdomain', 4_000);
      const refresh: Act = { act: 'dns.refresh', token: TOKEN };
      await one.hands.perform(act);
      for (let renewed = 0; renewed < 4; renewed++) {
        await sleep(1_500);
        await one.hands.perform(refresh);
      }
      assert.equal(await passes(), false);
      // Not before its process has: that takes the rules away first, by one program after another.
      await until('it ends', async () => !(await one.hands.holds(refresh)));
      assert.equal(await one.hands.holds(act), false);
      await assert.rejects(one.hands.perform(refresh), { code: 'expired' });
      assert.equal(await passes(), true);
      await one.hands.perform(answerWith(resolvers, 'nxdomain'));
      const { processes } = await one.hands.ask({
        query: 'processes',
        match: { argumentParts: [TOKEN] },
      });
      assert.equal(processes.length, 1);
      for (const { process: responder } of processes) process.kill(responder.pid, 'SIGKILL');
      await until('the kernel lets queries pass', passes);
      await one.hands.perform(stop);
    });
  });
}
