import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { HttpClient } from '../../src/host/http-client.ts';

test('who is asked to wait may take that long, and no longer than others beyond it', async () => {
  // Answers once its request has been given up, or what it was asked to wait is over.
  const server = createServer((request, response) => {
    const answer = setTimeout(() => response.end('{}'), 500);
    request.on('close', () => clearTimeout(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new HttpClient({ url: `http://127.0.0.1:${port}`, token: 'x', timeoutMs: 50 });
  try {
    await assert.rejects(client.get('/'), { code: 'timeout' });
    assert.deepEqual(await client.get('/', { query: { wait: '30s' } }), {});
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
