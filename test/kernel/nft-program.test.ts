import { suite, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { lacks } from '../support/needs.ts';

/** Runs in a namespace of its own; throws where anything is not as it must be. */
const SCRIPT = `
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Nft } from '${join(import.meta.dirname, '../../src/host/linux/nft.ts')}';
const scratch = mkdtempSync('/tmp/faultline-nft-');
const nft = new Nft(scratch, null);
import { holdsAll, packetsOf } from '${join(import.meta.dirname, '../../src/core/codec/netfilter.ts')}';
const all = new Set(['n2']);
const holds = async () => {
  const listed = await nft.list(drop.table);
  return listed !== undefined && holdsAll(drop, listed, all);
};
const drop = {
  backend: 'nft', protocol: 'all', how: 'drop', perMillion: 1000000,
  table: 'faultline-program1', faultId: 'program-1', timeoutMs: 60000,
  peers: [{ name: 'n2', ipv4: ['198.51.100.2'], ipv6: ['2001:db8:51::2'] }],
  control: { coordinatorAddresses: [], agentPort: 1 },
};
await nft.refresh(drop, all);
await nft.apply(drop, all);
await nft.refresh(drop, all);
assert.equal(await holds(), true);
const peers = [{ name: 'n2', addresses: ['198.51.100.2', '2001:db8:51::2'] }];
assert.deepEqual(packetsOf(await nft.list(drop.table), peers), { n2: 0 });
assert.equal((await nft.leftovers())[0].faultId, 'program-1');
await nft.apply({ ...drop, timeoutMs: 50 }, all);
for (let left = 200; await holds(); left--) assert.ok(left > 0, 'never expires');
await assert.rejects(nft.refresh(drop, all), { code: 'expired' });
await nft.delete(drop.table);
await nft.delete(drop.table);
assert.equal(await nft.list(drop.table), undefined);
assert.deepEqual(readdirSync(scratch), []);
rmSync(scratch, { recursive: true });
console.log('through ' + nft.through);
`;

suite('nft without its library', { skip: lacks('root', 'namespaces', 'nft') }, () => {
  test('the program does the same, and leaves no file', () => {
    const argv = ['--net', process.execPath, '--input-type=module', '-e', SCRIPT];
    const out = execFileSync('unshare', argv, { encoding: 'utf8' });
    assert.match(out, /through the nft program/);
  });
});
