import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { kindNamed } from '../../src/core/faults/registry.ts';
import { shortHash } from '../../src/core/base/hash.ts';
import type { AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import { AgentProcess } from '../support/agent-process.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { TestNetwork, type TestNode } from '../support/netns.ts';
import { processOf } from '../support/packet-rig.ts';
import { until } from '../support/until.ts';

const KINDS = ['corrupt', 'delay', 'duplicate', 'loss', 'rate', 'reorder'].map(
  (term) => `network.${term}`,
);

/** n1 has an agent and hears n2, whose packets are meant; nobody there speaks but to its probes. */
suite(
  'packet faults through an agent',
  { skip: lacks('root', 'namespaces', 'nft', 'nfqueue', 'ipv6') },
  () => {
    let network: TestNetwork;
    let agent: AgentProcess;
    let prefix: string[];

    before(async () => {
      network = new TestNetwork('flp', 2, 78);
      const [node] = network.nodes as [TestNode, TestNode];
      prefix = ['ip', 'netns', 'exec', node.namespace];
      agent = new AgentProcess(prefix);
      await agent.start();
    });
    after(async () => {
      await agent.close();
      network.close();
    });

    const tables = (): string =>
      execFileSync('ip', [...prefix.slice(1), 'nft', 'list', 'tables'], { encoding: 'utf8' });

    function requestOf(
      id: string,
      kind: string,
      params: object,
      targets = ['n2'],
    ): AgentFaultRequest {
      const nodes = network.nodes.map((each) => ({
        name: each.name,
        addresses: [each.address, each.address6],
        roles: ['broker' as const],
      }));
      const context = {
        owner: 'test',
        instance: 1,
        topology: { name: 'test', nodes },
        selected: targets,
        coordinatorAddresses: ['127.0.0.1'],
        armOnly: false,
        seed: '1',
      };
      return { id, kind, params: { ...params }, targets, context };
    }
    const tokenOf = (id: string): string => `faultline-${shortHash(`${id}/1`)}`;

    test('every kind: seen by its witness with no other traffic, all at once, healed by itself', async () => {
      const ids = KINDS.map((kind) => kind.replace('.', '-'));
      for (const kind of KINDS) {
        const [example] = kindNamed(kind)?.examples ?? [];
        const body = requestOf(kind.replace('.', '-'), kind, example?.params as object);
        const { status, body: answer } = await agent.ask('POST', '/v1/faults?wait=10s', body);
        assert.equal(status, 201, JSON.stringify(answer));
      }
      for (const id of ids) {
        const { receipt } = await until(
          `${id} is seen`,
          async () => {
            const fault = await agent.fault(id);
            return fault.receipt.effect === 'pending' ? undefined : fault;
          },
          { timeoutMs: 30_000 },
        );
        assert.equal(receipt.effect, 'seen', `${id}: ${receipt.says}`);
        assert.equal(receipt.backend, 'nfqueue');
        assert.ok(processOf(tokenOf(id)) > 0);
      }
      for (const [at, id] of ids.toReversed().entries()) {
        const { status } = await agent.ask('DELETE', `/v1/faults/${id}?wait=10s`);
        assert.ok(status < 300);
        assert.equal(processOf(tokenOf(id)), 0);
        const left = tables()
          .split('\n')
          .filter((line) => line !== '').length;
        assert.equal(left, ids.length - 1 - at, 'its table and no other');
      }
    });

    test('more than may be held passes, and the receipt says so', async () => {
      const [node, other] = network.nodes as [TestNode, TestNode];
      const room = { unread: 1_000, packets: 1_000, bytes: 1_000 };
      const work = { shape: {}, seed: 1, peers: [], timeoutMs: 60_000, priority: 0, room };
      const none = { numerator: 0, denominator: 1 };
      const delay = { latencyUs: 1e6, jitterUs: 0, distribution: 'uniform', correlation: none };
      const options = { ...work, shape: { delay }, queue: 15_001, faultId: 'narrow' };
      const argv = [process.execPath, join(ROOT, 'src', 'bin', 'packets.ts')];
      // A process with less room than any has: the fault takes the one that carries its token.
      const narrow = network.spawn(
        node,
        [...argv, '--token', tokenOf('narrow'), JSON.stringify(options)],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await new Promise((resolve) => narrow.stdout?.once('data', resolve));
      const body = requestOf('narrow', 'network.delay', { latency: '1s' });
      assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', body)).status, 201);
      const flood = `for n in {1..200}; do echo $n >/dev/udp/${node.address}/9; done 2>/dev/null`;
      network.run(other, ['bash', '-c', `${flood}; true`]);
      await agent.ask('DELETE', '/v1/faults/narrow?wait=10s');
      const { receipt, state } = await agent.fault('narrow');
      assert.equal(state, 'healed');
      const [, passed] = /([0-9]+) packet\(s\) passed untouched/.exec(receipt.notes.join()) ?? [];
      // Of 200 some 30 fit at once.
      assert.ok(Number(passed) > 50, JSON.stringify(receipt));
    });

    test(
      'by htb: those who send act, and the guard puts the device back',
      { skip: lacks('htb') },
      async () => {
        const devices = (): string =>
          execFileSync('ip', [...prefix.slice(1), 'tc', 'qdisc', 'show'], { encoding: 'utf8' });
        const before = devices();
        const body = requestOf('slow', 'network.rate', { rate: '1mbit', backend: 'htb' }, ['n1']);
        assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', body)).status, 201);
        const { receipt } = await until('it is seen', async () => {
          const fault = await agent.fault('slow');
          return fault.receipt.effect === 'pending' ? undefined : fault;
        });
        assert.equal(receipt.effect, 'seen', receipt.says);
        assert.equal(receipt.backend, 'htb');
        assert.match(devices(), /qdisc htb fa17: dev eth0 root/);
        const again = requestOf('slower', 'network.rate', { rate: '2mbit', backend: 'htb' }, [
          'n1',
        ]);
        const refused = await agent.ask('POST', '/v1/faults?wait=10s', again);
        assert.equal(refused.status, 422);
        assert.match(JSON.stringify(refused.body), /fault 'slow' does the same/);
        agent.kill('SIGKILL');
        await until('the guard to heal', () => tables() === '' && devices() === before);
        await agent.exited();
        await agent.start();
        assert.equal((await agent.fault('slow')).endedBy, 'guard');
      },
    );

    test('kill -9 of the agent: the guard releases what is held, and ends the process', async () => {
      const body = requestOf('late', 'network.delay', { latency: '300ms' });
      assert.equal((await agent.ask('POST', '/v1/faults?wait=10s', body)).status, 201);
      assert.ok(processOf(tokenOf('late')) > 0);
      agent.kill('SIGKILL');
      await until('the guard to heal', () => tables() === '' && processOf(tokenOf('late')) === 0);
      await agent.exited();
      await agent.start();
      assert.equal((await agent.fault('late')).endedBy, 'guard');
    });
  },
);
