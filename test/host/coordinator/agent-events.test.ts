import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { StubCluster } from '../../support/stub-cluster.ts';
import { until } from '../../support/until.ts';

const cluster = new StubCluster();
after(() => cluster.close());

test("what an agent tells of is the coordinator's to tell, unless it is another's fault", async () => {
  await cluster.startStubs(1);
  const coordinator = (await cluster.startCoordinator()).coordinator;
  await cluster.linked();
  await cluster.create({ id: 'bad-disk', kind: 'noop', targets: 'n1', duration: '60s' });
  const [socket] = cluster.stub('n1').sockets;
  const tell = (event: object): void => socket?.send(JSON.stringify({ frame: 'event', event }));
  const data = { operation: 'write', path: 'a', errno: 'EIO', leftOut: 3 };
  tell({ type: 'fault.hit', fault: 'not-ours', message: 'hit' });
  tell({ type: 'fault.hit', fault: 'bad-disk', message: 'hit', data });
  tell({ type: 'disk.ended', message: 'the file system has ended' });
  const told = (): { type: string; fault?: string; node?: string; message: string }[] =>
    coordinator.events.after(0).events;
  await until('the last is told', () => told().some(({ type }) => type === 'disk.ended'));
  const hits = told().filter(({ type }) => type === 'fault.hit');
  assert.deepEqual(
    hits.map(({ fault, node, message }) => [fault, node, message]),
    [['bad-disk', 'n1', 'n1: hit']],
  );
});
