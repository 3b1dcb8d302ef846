import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXAMPLE_TOPOLOGY } from '../../src/core/model/example-topology.ts';
import type { AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import { AgentRig } from '../support/agent-rig.ts';

function request(kind: string, params: Record<string, unknown>): AgentFaultRequest {
  const selected = kind === 'network.partition' ? [] : ['n1'];
  return {
    id: 'kept-1',
    kind,
    params,
    ...(selected.length > 0 ? { targets: selected } : {}),
    duration: '10m',
    lease: 'none',
    context: {
      owner: 'test',
      instance: 1,
      topology: EXAMPLE_TOPOLOGY,
      selected,
      coordinatorAddresses: [],
      armOnly: false,
      seed: '7',
    },
  };
}

const cut = request('network.partition', { groups: [['n1'], ['n2', 'n3']] });

test('what the kernel would let expire is renewed for as long as the fault stands', async () => {
  const rig = new AgentRig();
  await rig.start();
  await rig.create(cut);
  await rig.advance(9 * 60_000);
  assert.equal(rig.status('kept-1')?.state, 'active');
  assert.notDeepEqual(rig.linux.dropped(), []);
  await rig.advance(2 * 60_000);
  assert.equal(rig.status('kept-1')?.endedBy, 'deadline');
});

test('an agent that slept through the expiry says that the kernel ended its fault', async () => {
  const rig = new AgentRig();
  await rig.start();
  await rig.create(cut);
  await rig.advance(1_000);
  rig.nowMs += 60_000; // SIGSTOP: time passes, and no timer fires
  await rig.advance(1_000);
  assert.equal(rig.status('kept-1')?.state, 'healed');
  assert.equal(rig.status('kept-1')?.endedBy, 'kernelExpiry');
});

test('a fault that somebody else takes away has failed, and says so', async () => {
  const rig = new AgentRig();
  const baseline = JSON.stringify(rig.linux.snapshot());
  await rig.start();
  await rig.create(cut);
  await rig.advance(1_000);
  for (const leftover of await rig.linux.leftovers()) await rig.linux.perform(leftover.remove);
  await rig.advance(10_000);
  assert.equal(rig.status('kept-1')?.state, 'failed');
  assert.match(rig.status('kept-1')?.error ?? '', /taken away/);
  assert.equal(JSON.stringify(rig.linux.snapshot()), baseline);
});

test('a stopped process that somebody continues is noticed', async () => {
  const rig = new AgentRig();
  await rig.start();
  await rig.create(request('process.pause', {}));
  await rig.advance(1_000);
  const { running } = await rig.linux.ask({ query: 'service', service: 'broker' });
  await rig.linux.perform({ act: 'process.signal', processes: running, signal: 'SIGCONT' });
  await rig.advance(10_000);
  assert.equal(rig.status('kept-1')?.state, 'failed');
});

test('the death of a file system fails its faults at once, and no others', async () => {
  const rig = new AgentRig();
  await rig.start();
  await rig.create(request('disk.error', { errno: 'EIO' }));
  await rig.create({ ...cut, id: 'other-1' });
  await rig.advance(1_000);
  const [mount] = (await rig.linux.ask({ query: 'diskMounts' })).mounts;
  const mountPoint = mount?.mountPoint ?? '';
  rig.driver.dispatch({ event: 'diskEnded', mountPoint: `${mountPoint}-other` });
  rig.linux.disk.kill(mountPoint);
  await rig.advance(0);
  assert.equal(rig.status('kept-1')?.state, 'active', 'nobody has told');
  rig.driver.dispatch({ event: 'diskEnded', mountPoint });
  await rig.advance(0);
  assert.equal(rig.status('kept-1')?.state, 'failed');
  assert.match(rig.status('kept-1')?.error ?? '', /is dead/);
  assert.equal(rig.status('other-1')?.state, 'active');
});
