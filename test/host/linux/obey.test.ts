import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { DnsOrders } from '../../../src/core/model/act-dns.ts';
import { ROOT } from '../../support/needs.ts';
import { ownToken } from '../../support/own-token.ts';

const ORDERS: DnsOrders = {
  backend: 'nft',
  table: ownToken('orphan'),
  faultId: 'orphan-1',
  names: [],
  answer: 'nxdomain',
  resolvers: ['192.0.2.53'],
  timeoutMs: 60_000,
};

test('who starts a process dies before it is in force: it ends, and has redirected nothing', async () => {
  // Where this test has no right to redirect, trying to would be the failure that is told.
  const script = join(ROOT, 'src/bin/dns-responder.ts');
  const child = spawn(process.execPath, [script, '--token', ORDERS.table], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines: string[] = [];
  const prepared = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      resolve();
    });
  });
  child.stdin.write(`${JSON.stringify(ORDERS)}\n`);
  await prepared;
  child.stdin.destroy();
  const [code] = (await once(child, 'exit')) as [number];
  assert.deepEqual(lines, ['{"says":"prepared"}']);
  assert.equal(code, 0);
});
