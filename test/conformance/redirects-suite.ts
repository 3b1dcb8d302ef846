import assert from 'node:assert/strict';
import { suite } from 'node:test';
import type { DnsOrders } from '../../src/core/model/act-dns.ts';
import type { Act } from '../../src/core/model/act.ts';
import { REDIRECT_BACKENDS, type RedirectBackend } from '../../src/core/model/redirection.ts';
import { ownToken } from '../support/own-token.ts';
import { benchTests, fails, ours, type Bench } from './linux-suite.ts';

/** What both implementations promise of processes that connections and queries are redirected to. */
export function redirectsSuite(
  name: string,
  open: () => Promise<Bench>,
  skip: string | false = false,
): void {
  const onBench = benchTests(open);
  suite(`redirects: ${name}`, { skip }, () => {
    onBench('a proxy stands before a port until it is ended', async (bench) => {
      for (const backend of REDIRECT_BACKENDS) await proxied(bench, backend);
    });

    async function proxied({ linux, pass }: Bench, backend: RedirectBackend): Promise<void> {
      const token = ownToken('suite5');
      const redirect = {
        backend,
        table: token,
        faultId: 'suite-5',
        ports: [9092],
        whose: { mark: 0xfa17 },
        timeoutMs: 4_000,
      };
      const rules = [{ apiKey: 'Produce', duplicate: true }];
      const orders = { redirect, rules, seed: '7', timeoutMs: 20_000 };
      const proxy: Act = { act: 'kafka.proxy', token, orders };
      const stop: Act = { act: 'kafka.proxy.stop', token, backend };
      assert.equal(await linux.holds(proxy), false);
      await linux.perform(stop);
      await linux.perform(proxy);
      await linux.perform(proxy);
      assert.equal(await linux.holds(proxy), true);
      assert.equal(await linux.holds(stop), false);
      await linux.probe([{ protocol: 'tcp', address: '127.0.0.1', port: 9092 }]);
      for (let waited = 0; ; waited += 50) {
        const counts = await linux.ask({ query: 'proxyCounts', token });
        assert.deepEqual(counts.rules, [{ matched: 0, hits: 0 }]);
        if (counts.connections > 0) break;
        assert.ok(waited < 10_000, 'no connection reaches it');
        await pass(50);
      }
      const leftovers = await ours(linux);
      assert.ok(leftovers.some(({ act }) => act === 'kafka.proxy.stop'));
      await linux.perform({ act: 'kafka.proxy.refresh', token });
      for (let again = 0; again < 2; again++) {
        await linux.perform(stop);
        assert.equal(await linux.holds(proxy), false);
        assert.equal(await linux.holds(stop), true);
      }
      assert.equal((await linux.ask({ query: 'proxyCounts', token })).running, false);
      await fails('expired', linux.perform({ act: 'kafka.proxy.refresh', token }));
      assert.deepEqual(await ours(linux), []);
    }

    onBench('a responder answers until it is stopped', async ({ linux }) => {
      for (const backend of REDIRECT_BACKENDS) {
        const table = ownToken('suite9');
        const orders: DnsOrders = {
          backend,
          table,
          faultId: 'suite-9',
          names: [],
          answer: 'nxdomain',
          resolvers: ['192.0.2.53', '2001:db8::53'],
          timeoutMs: 20_000,
        };
        const answer: Act = { act: 'dns.answer', orders };
        const stop: Act = { act: 'dns.stop', token: table, backend };
        await linux.perform(stop);
        assert.equal(await linux.holds(answer), false);
        await linux.perform(answer);
        await linux.perform(answer);
        assert.equal(await linux.holds(answer), true);
        assert.equal(await linux.holds(stop), false);
        const leftovers = await ours(linux);
        assert.ok(leftovers.some(({ act }) => act === 'dns.stop'));
        await linux.perform({ act: 'dns.refresh', token: table });
        for (let again = 0; again < 2; again++) {
          await linux.perform(stop);
          assert.equal(await linux.holds(answer), false);
          assert.equal(await linux.holds(stop), true);
        }
        await fails('expired', linux.perform({ act: 'dns.refresh', token: table }));
        assert.deepEqual(await ours(linux), []);
      }
    });
  });
}
