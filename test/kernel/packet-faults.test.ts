import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, suite, test } from 'node:test';
import { kindNamed } from '../../src/core/faults/registry.ts';
import { shortHash } from '../../src/core/base/hash.ts';
import type { AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import { AgentProcess } from '../support/agent-process.ts';
import { lacks } from '../support/needs.ts';
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

    function requestOf(id: string, kind: string, params: object): AgentFaultRequest {
      const nodes = network.nodes.map((each) => ({
        name: each.name,
        addresses: [each.address, each.address6],
        roles: ['broker' as const],
      }));
      const context = {
        owner: 'test',
        instance: 1,
        topology: { name: 'test', nodes },
        selected: ['n2'],
        coordinatorAddresses: ['127.0.0.1'],
        armOnly: false,
        seed: '1',
      };
      return { id, kind, params: { ...params }, targets: ['n2'], context };
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
