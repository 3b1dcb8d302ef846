import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { holdsAll } from '../../../src/core/codec/netfilter.ts';
import {
  readListedTable,
  readOurTables,
  writeDelete,
  writeTable,
  writeRefresh,
} from '../../../src/core/codec/nft.ts';
import { EVERY_PACKET, type RuleTable } from '../../../src/core/model/act-netfilter.ts';

const DROP: RuleTable = {
  backend: 'nft',
  protocol: 'all',
  how: 'drop',
  perMillion: EVERY_PACKET,
  table: 'faultline-0abc',
  faultId: 'f-1',
  peers: [
    { name: 'n2', ipv4: ['198.18.0.2'], ipv6: ['2001:DB8::2'], agentPort: 8611 },
    { name: 'n3', ipv4: ['198.18.0.3', '::ffff:198.18.0.3'], ipv6: [] },
  ],
  control: { coordinatorAddresses: ['::ffff:198.18.0.254'], agentPort: 8611 },
  timeoutMs: 30_000,
};
const ALL = new Set(['n2', 'n3']);

suite('nft', () => {
  test('a table: one set, rule and counter a peer and family; the control path and no more', () => {
    assert.equal(
      writeTable(DROP, ALL),
      `add table inet faultline-0abc
delete table inet faultline-0abc
table inet faultline-0abc {
 set p0v4 { type ipv4_addr; flags timeout; elements = { 198.18.0.2 timeout 30000ms }; }
 set p0v6 { type ipv6_addr; flags timeout; elements = { 2001:db8::2 timeout 30000ms }; }
 set p1v4 { type ipv4_addr; flags timeout; elements = { 198.18.0.3 timeout 30000ms }; }
 chain input {
  type filter hook input priority -10; policy accept;
  iif "lo" accept
  icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
  ip saddr { 198.18.0.254 } tcp dport 8611 accept
  ip saddr { 198.18.0.2 } tcp sport 8611 ip daddr { 198.18.0.254 } tcp flags & (syn | ack) != syn accept
  ip saddr @p0v4 counter drop comment "f-1 n2"
  ip6 saddr @p0v6 counter drop comment "f-1 n2"
  ip saddr @p1v4 counter drop comment "f-1 n3"
 }
}
`,
    );
  });

  test('a refresh takes out and puts in again, in one text', () => {
    assert.deepEqual(writeRefresh(DROP, ALL).split('\n').slice(0, 2), [
      'delete element inet faultline-0abc p0v4 { 198.18.0.2 }',
      'add element inet faultline-0abc p0v4 { 198.18.0.2 timeout 30000ms }',
    ]);
  });

  test('no name gets into a command that could be more than a name', () => {
    const evil = 'faultline-x; flush ruleset';
    assert.throws(() => writeDelete(evil));
    assert.throws(() => writeDelete('filter'));
    assert.throws(() => writeTable({ ...DROP, table: evil }, ALL));
    assert.throws(() => writeTable({ ...DROP, faultId: 'x" drop' }, ALL));
    assert.throws(() => writeRefresh({ ...DROP, timeoutMs: Number.NaN }, ALL));
    const peers = [{ name: 'n2"', ipv4: ['198.18.0.2'], ipv6: [] }];
    assert.throws(() => writeTable({ ...DROP, peers }, ALL));
    const notAddress = [{ name: 'n2', ipv4: ['198.18.0.2 }; flush ruleset'], ipv6: [] }];
    assert.ok(!writeTable({ ...DROP, peers: notAddress }, ALL).includes('flush'));
  });

  test('a listing is read back: who, how many packets, and what has expired', () => {
    const counted = (packets: number, comment: string): object => ({
      rule: { comment, expr: [{ match: {} }, { counter: { packets, bytes: 1 } }, { drop: null }] },
    });
    const element = (val: string): object => ({ elem: { val, timeout: 30, expires: 29 } });
    const listing = (v6: object[]): string =>
      JSON.stringify({
        nftables: [
          { metainfo: {} },
          { table: { family: 'inet', name: 'faultline-0abc' } },
          { set: { name: 'p0v4', elem: [element('198.18.0.2')] } },
          { set: { name: 'p0v6', elem: v6 } },
          { set: { name: 'p1v4', elem: ['198.18.0.3'] } },
          { rule: { expr: [{ accept: null }] } },
          counted(3, 'f-1 n2'),
          counted(4, 'f-1 n2'),
          counted(0, 'f-1 n3'),
        ],
      });
    const whole = readListedTable(listing([element('2001:db8::2')]));
    assert.deepEqual(whole.packets, { n2: 7, n3: 0 });
    assert.equal(whole.faultId, 'f-1');
    assert.equal(holdsAll(DROP, whole, ALL), true);
    assert.equal(holdsAll(DROP, readListedTable(listing([])), ALL), false);
    assert.equal(holdsAll(DROP, readListedTable(''), ALL), false);
  });

  test('only our tables are ours', () => {
    const names = ['faultline-1', 'filter', 'faultline', 'faultline-X', 'xfaultline-1'];
    const tables = JSON.stringify({ nftables: names.map((name) => ({ table: { name } })) });
    assert.deepEqual(readOurTables(tables), ['faultline-1']);
  });
});
