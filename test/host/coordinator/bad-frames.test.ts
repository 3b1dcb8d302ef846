import { after, test } from 'node:test';
import { StubCluster } from '../../support/stub-cluster.ts';
import { until } from '../../support/until.ts';

const cluster = new StubCluster();
after(() => cluster.close());

test('what no agent of ours would say ends its link, and not the coordinator', async () => {
  await cluster.startStubs(1);
  const stub = cluster.stub('n1');
  await cluster.startCoordinator();
  await cluster.linked();
  for (const text of [
    'null',
    '7',
    '{"frame":"status"}',
    '{"frame":"event","event":{"type":7}}',
    'no frame',
  ]) {
    const [socket] = stub.sockets;
    socket?.send(text);
    await until(`a new link after ${text}`, () => {
      const [now] = stub.sockets;
      return now !== undefined && now !== socket;
    });
    await cluster.linked();
  }
});

test('what is told before the clocks are compared is not kept without end', async () => {
  const stub = cluster.stub('n1');
  stub.greetings = 20_000;
  stub.dropLinks();
  await until('a link is refused', () => stub.closeCodes.includes(1008));
  stub.greetings = 1;
  await cluster.linked();
});
