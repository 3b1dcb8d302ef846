import assert from 'node:assert/strict';
import { execFileSync, type ChildProcess } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, suite, test } from 'node:test';
import type { Act } from '../../src/core/model/act.ts';
import type { ProxyRule } from '../../src/core/model/proxy-rule.ts';
import { REDIRECT_BACKENDS, type RedirectBackend } from '../../src/core/model/redirection.ts';
import { LinuxInNetns } from '../support/linux-in-netns.ts';
import { lacks } from '../support/needs.ts';
import { TestNetwork, type TestNode } from '../support/netns.ts';
import { ownToken } from '../support/own-token.ts';
import { until } from '../support/until.ts';

const PEER = join(import.meta.dirname, '..', 'support', 'kafka-peer.ts');
const PORT = 9092;

/** A process of the network, and every line it has printed. */
class Peer {
  readonly child: ChildProcess;
  readonly lines: string[] = [];

  /** @param pem path of a certificate with its key: it then speaks TLS. */
  constructor(network: TestNetwork, node: TestNode, argv: string[], pem?: string) {
    this.child = network.spawn(node, [process.execPath, PEER, ...argv], {
      env: pem === undefined ? process.env : { ...process.env, FAULTLINE_TEST_TLS: pem },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (!this.child.stdout) throw new Error('no pipe');
    createInterface({ input: this.child.stdout }).on('line', (line) => this.lines.push(line));
  }

  line(index: number): Promise<string> {
    return until(`line ${index}`, () => this.lines[index], { timeoutMs: 30_000 });
  }
}

suite(
  'a proxy in a node',
  { skip: lacks('root', 'namespaces', 'nft', 'ipset', 'iptables-nft') },
  () => {
    let network: TestNetwork;
    let broker: TestNode;
    let clients: TestNode;
    let linux: LinuxInNetns;
    let server: Peer;
    const peers: Peer[] = [];

    function peer(node: TestNode, ...argv: string[]): Peer {
      const one = new Peer(network, node, argv);
      peers.push(one);
      return one;
    }

    async function ask(address: string, count: number, node = clients): Promise<number[]> {
      const said = await peer(node, 'ask', address, String(PORT), String(count)).line(0);
      return (JSON.parse(said) as { answered: number[] }).answered;
    }

    const proxy = (token: string, rules: ProxyRule[], backend: RedirectBackend = 'nft'): Act => ({
      act: 'kafka.proxy',
      token,
      orders: {
        redirect: {
          backend,
          table: token,
          faultId: 'request-1',
          ports: [PORT],
          timeoutMs: 4_000,
          whose: { mark: 0xfa17 },
        },
        rules,
        seed: '7',
        timeoutMs: 60_000,
      },
    });

    /** Ours: processes of others' faults on this machine are none. */
    async function leftovers(): Promise<string[]> {
      const all = await linux.leftovers();
      return all.map(({ says }) => says).filter((says) => says.includes('request'));
    }

    before(async () => {
      network = new TestNetwork('flkreq', 2, 77);
      [broker, clients] = network.nodes as [TestNode, TestNode];
      linux = new LinuxInNetns(network, broker);
      server = peer(broker, 'serve', String(PORT));
      await server.line(0);
    });

    after(async () => {
      for (const { child } of peers) child.kill('SIGKILL');
      await linux.close();
      network.close();
    });

    test('IPv4, IPv6 and the node itself come through it; open connections are reset', async () => {
      for (const backend of REDIRECT_BACKENDS) await comeThrough(backend);
    });

    async function comeThrough(backend: RedirectBackend): Promise<void> {
      const token = ownToken('request1');
      const staying = peer(clients, 'stay', broker.address, String(PORT));
      assert.equal(await staying.line(0), 'open');
      const rules = [{ apiKey: 'Heartbeat', nth: 2, duplicate: true }];
      await linux.perform(proxy(token, rules, backend));
      assert.equal(await staying.line(1), 'ended ECONNRESET');
      const before = server.lines.length;
      assert.deepEqual(await ask(broker.address, 3), [1, 2, 3]);
      assert.deepEqual(server.lines.slice(before), ['12 1', '12 2', '12 2', '12 3']);
      assert.deepEqual(await ask(broker.address6, 2), [1, 2]);
      assert.deepEqual(await ask('127.0.0.1', 1, broker), [1]);
      const through = peer(clients, 'stay', broker.address, String(PORT));
      assert.equal(await through.line(0), 'open');
      await until('the counters are written', async () => {
        const counts = await linux.ask({ query: 'proxyCounts', token });
        return counts.requests === 7 && counts.rules[0]?.hits === 1 && counts.connections === 4;
      });
      await linux.perform({ act: 'kafka.proxy.stop', token, backend });
      assert.equal(await through.line(1), 'ended ECONNRESET');
      assert.deepEqual(await ask(broker.address, 2), [1, 2]);
      assert.deepEqual(await leftovers(), []);
    }

    test(
      'TLS passes through unread, or is ended and begun anew',
      { skip: lacks('openssl') },
      async () => {
        const directory = mkdtempSync(join(tmpdir(), 'faultline-tls-'));
        const pem = join(directory, 'both.pem');
        const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
        const named = ['-subj', '/CN=broker', '-keyout', pem, '-out', `${pem}.crt`];
        execFileSync('openssl', [...made, ...named], { stdio: 'ignore' });
        appendFileSync(pem, readFileSync(`${pem}.crt`));
        const port = PORT + 1;
        const secret = new Peer(network, broker, ['serve', String(port)], pem);
        peers.push(secret);
        assert.equal(await secret.line(0), 'ready');
        const askSecretly = async (): Promise<string> => {
          const one = new Peer(network, clients, ['ask', broker.address, String(port), '3'], pem);
          peers.push(one);
          return one.line(0);
        };
        for (const ended of [false, true]) {
          const token = `faultline-request${ended ? 5 : 4}`;
          const act = proxy(token, [{ apiKey: 'Heartbeat', nth: 2, duplicate: true }]);
          if (act.act !== 'kafka.proxy') throw new Error('no proxy');
          act.orders.redirect.ports = [port];
          const copy = join(directory, 'copy.pem');
          if (ended) {
            act.orders.tls = { certificate: copy, key: copy };
            await assert.rejects(linux.perform(act), /TLS can't be ended with .*copy\.pem/);
            assert.deepEqual(await leftovers(), []);
            copyFileSync(pem, copy);
          }
          await linux.perform(act);
          // It was read when the proxy began.
          if (ended) rmSync(copy);
          const before = secret.lines.length;
          assert.match(await askSecretly(), /"answered":\[1,2,3\]/);
          assert.equal(secret.lines.length - before, ended ? 4 : 3);
          await until('the counters are written', async () => {
            const { tls, requests } = await linux.ask({ query: 'proxyCounts', token });
            return ended ? tls === 0 && requests === 3 : tls === 1 && requests === 0;
          });
          await linux.perform({ act: 'kafka.proxy.stop', token, backend: 'nft' });
        }
        rmSync(directory, { recursive: true });
      },
    );

    test('killed, it stops nobody for longer than the kernel allows', async () => {
      for (const backend of REDIRECT_BACKENDS) await killed(backend);
    });

    async function killed(backend: RedirectBackend): Promise<void> {
      const token = ownToken('request2');
      await linux.perform(proxy(token, [{ delayAfter: '10m' }], backend));
      const pid = network
        .run(broker, ['pgrep', '-f', `kafka-proxy.ts --token ${token}`])
        .trim()
        .split('\n')[0];
      process.kill(Number(pid), 'SIGKILL');
      await until('the kernel lets connections pass', async () => {
        const answered = await ask(broker.address, 1);
        return answered.length === 1;
      });
      await linux.perform({ act: 'kafka.proxy.stop', token, backend });
      assert.deepEqual(await leftovers(), []);
    }

    test('nobody asks for it any more, or its table is taken away: it ends', async () => {
      for (const how of ['alone', 'table'] as const) {
        const token = `faultline-request${how}`;
        const act = proxy(token, [{ apiKey: 'Produce', duplicate: true }]);
        if (act.act === 'kafka.proxy' && how === 'alone') act.orders.timeoutMs = 1_000;
        await linux.perform(act);
        if (how === 'table')
          await linux.perform({ act: 'netfilter.delete', backend: 'nft', table: token });
        await until(
          'it ends',
          async () => !(await linux.ask({ query: 'proxyCounts', token })).running,
        );
        assert.deepEqual(await ask(broker.address, 1), [1]);
        assert.deepEqual(await leftovers(), []);
      }
    });
  },
);
