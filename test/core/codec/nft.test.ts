import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { holdsAll, packetsOf } from '../../../src/core/codec/netfilter.ts';
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
    { name: 'n4', ipv4: ['198.18.0.4'], ipv6: [], agentPort: 8611 },
  ],
  control: { coordinatorAddresses: ['::ffff:198.18.0.254'], agentPort: 8611 },
  timeoutMs: 30_000,
};
const ALL = new Set(['n2', 'n3', 'n4']);

suite('nft', () => {
  test('a table: a set, a rule and counters for peers that are alike; the control path', () => {
    assert.equal(
      writeTable(DROP, ALL),
      `add table inet faultline-0abc
delete table inet faultline-0abc
table inet faultline-0abc {
 set g0v4 { type ipv4_addr; flags timeout; timeout 30000ms; elements = { 198.18.0.2, 198.18.0.4 }; }
 set c0v4 { type ipv4_addr; size 68; flags dynamic; }
 set g1v6 { type ipv6_addr; flags timeout; timeout 30000ms; elements = { 2001:db8::2 }; }
 set c1v6 { type ipv6_addr; size 66; flags dynamic; }
 set g2v4 { type ipv4_addr; flags timeout; timeout 30000ms; elements = { 198.18.0.3 }; }
 set c2v4 { type ipv4_addr; size 66; flags dynamic; }
 chain input {
  type filter hook input priority -10; policy accept;
  iif "lo" accept
  icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
  ip saddr { 198.18.0.254 } tcp dport 8611 accept
  ip saddr @g0v4 tcp sport 8611 ip daddr { 198.18.0.254 } tcp flags & (syn | ack) != syn accept
  ip saddr @g0v4 add @c0v4 { ip saddr counter } drop comment "f-1"
  ip6 saddr @g1v6 add @c1v6 { ip6 saddr counter } drop comment "f-1"
  ip saddr @g2v4 add @c2v4 { ip saddr counter } drop comment "f-1"
 }
}
`,
    );
  });

  test('a refresh takes out and puts in again, in one text', () => {
    assert.deepEqual(writeRefresh(DROP, ALL).split('\n').slice(0, 2), [
      'delete element inet faultline-0abc g0v4 { 198.18.0.2, 198.18.0.4 }',
      'add element inet faultline-0abc g0v4 { 198.18.0.2, 198.18.0.4 }',
    ]);
    assert.doesNotMatch(writeRefresh(DROP, new Set(['n4'])), /198\.18\.0\.2|2001/);
  });

  test('a thousand peers are a thousand addresses, and no more rules than one', () => {
    const peers = Array.from({ length: 1000 }, (_, index) => {
      const ipv4 = [`198.18.${1 + (index >> 8)}.${index & 255}`];
      return { name: `n${index}`, ipv4, ipv6: [], agentPort: 8611 };
    });
    const names = new Set(peers.map(({ name }) => name));
    const text = writeTable({ ...DROP, peers }, names);
    assert.equal(
      text.split('\n').length,
      writeTable({ ...DROP, peers: peers.slice(1) }, names).split('\n').length,
    );
    assert.equal(text.split(' add @').length, 2);
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
    const met = (val: string, packets: number): object => ({ elem: { val, counter: { packets } } });
    const listing = (v6: object[]): string =>
      JSON.stringify({
        nftables: [
          { metainfo: {} },
          { table: { family: 'inet', name: 'faultline-0abc' } },
          { set: { name: 'g0v4', elem: [element('198.18.0.2'), element('198.18.0.4')] } },
          { set: { name: 'c0v4', elem: [met('198.18.0.2', 3)] } },
          { set: { name: 'g1v6', elem: v6 } },
          { set: { name: 'c1v6', elem: [met('2001:db8::2', 4)] } },
          { set: { name: 'g2v4', elem: ['198.18.0.3'] } },
          { rule: { expr: [{ accept: null }] } },
          { rule: { comment: 'f-1', expr: [{ drop: null }] } },
          counted(5, 'f-1 dns'),
        ],
      });
    const whole = readListedTable(listing([element('2001:db8::2')]));
    const asked = [
      { name: 'n2', addresses: ['198.18.0.2', '2001:DB8::2'] },
      { name: 'n3', addresses: ['198.18.0.3'] },
      { name: 'dns', addresses: [] },
    ];
    assert.deepEqual(packetsOf(whole, asked), { n2: 7, n3: 0, dns: 5 });
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
