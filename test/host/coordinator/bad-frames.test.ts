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
  for (const text of ['null', '7', '{"frame":"status"}', 'no frame']) {
    const [socket] = stub.sockets;
    socket?.send(text);
    await until(`a new link after ${text}`, () => {
      const [now] = stub.sockets;
      return now !== undefined && now !== socket;
    });
    await cluster.linked();
  }
});
