import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BugError } from '../../../src/core/base/assert.ts';
import {
  familiesOf,
  writePorts,
  writeRedirectChain,
} from '../../../src/core/codec/iptables-redirect.ts';
import { setsNamed, tablesOfSets, writeRemoval } from '../../../src/core/codec/iptables.ts';
import {
  writeRedirectRefresh,
  writeRedirectStop,
  writeRedirectTable,
} from '../../../src/core/codec/nft-redirect.ts';
import type { Redirection } from '../../../src/core/model/redirection.ts';

const TO_PROXY: Redirection = {
  backend: 'nft',
  table: 'faultline-abc',
  faultId: 'fault-1',
  ports: [9092, 9094],
  timeoutMs: 4_000,
  whose: { mark: 0xfa17 },
};
const TO_RESPONDER: Redirection = {
  ...TO_PROXY,
  ports: [53],
  whose: { resolvers: ['127.0.0.53', '::1', '1.2.3.4 } accept'], group: 53_053 },
};

suite('what redirects, by nftables', () => {
  test('a proxy: spares what carries the mark, before anything else', () => {
    const text = writeRedirectTable(TO_PROXY, 40_001);
    const chains = text.split('chain ').slice(1);
    assert.deepEqual(
      chains.map((chain) => chain.split(' ')[0]),
      ['prerouting', 'output'],
    );
    for (const chain of chains) {
      assert.ok(chain.indexOf('meta mark 64023 accept') < chain.indexOf('redirect to :40001'));
      assert.match(chain, /fib daddr type local tcp dport @ports counter .*"fault-1 proxy"/);
    }
    assert.match(text, /elements = \{ 9092 timeout 4000ms, 9094 timeout 4000ms \}/);
    assert.match(
      writeRedirectRefresh(TO_PROXY),
      /^delete element inet faultline-abc ports \{ 9092, 9094 \}\nadd/,
    );
  });

  test('a responder: the resolvers alone, and no name that is more than one', () => {
    const table = writeRedirectTable(TO_RESPONDER, 5300);
    assert.match(table, /ip daddr \{ 127\.0\.0\.53 \} meta l4proto \{ tcp, udp \} th dport @ports/);
    assert.match(table, /ip6 daddr \{ ::1 \}/);
    assert.doesNotMatch(table, /1\.2\.3\.4|prerouting/);
  });

  test('it can stay and send nothing more', () => {
    assert.equal(writeRedirectStop(TO_PROXY.table), 'flush set inet faultline-abc ports\n');
  });
});

suite('what redirects, by iptables', () => {
  test('a proxy: connections of both families to this node, from anywhere', () => {
    const sent = '-m comment --comment "fault-1 proxy" -j REDIRECT --to-ports 40001';
    for (const family of [4, 6] as const)
      assert.equal(
        writeRedirectChain(TO_PROXY, family, 40_001, true),
        `*nat
:faultline-abc - [0:0]
-A faultline-abc -m mark --mark 64023 -j RETURN
-A faultline-abc -p tcp -m addrtype --dst-type LOCAL -m set --match-set faultline-abc-ports dst ${sent}
-I PREROUTING 1 -m comment --comment "fault-1" -j faultline-abc
-I OUTPUT 1 -m comment --comment "fault-1" -j faultline-abc
COMMIT
`,
      );
    assert.equal(
      writePorts(TO_PROXY),
      `create faultline-abc-ports bitmap:port range 0-65535 timeout 4 -exist
add faultline-abc-ports 9092 timeout 4 -exist
add faultline-abc-ports 9094 timeout 4 -exist
`,
    );
  });

  test('a responder: what this node itself asks, of each family its own resolvers', () => {
    const chain = writeRedirectChain(TO_RESPONDER, 4, 5300, false);
    assert.match(
      chain,
      /-m owner --gid-owner 53053 -j RETURN\n-A faultline-abc -d 127.0.0.53 -p udp/,
    );
    assert.doesNotMatch(chain, /::1|1\.2\.3\.4|PREROUTING|-I/);
    assert.deepEqual(familiesOf(TO_RESPONDER), [4, 6]);
    const whose = { resolvers: ['192.0.2.53'], group: 1 };
    assert.deepEqual(familiesOf({ ...TO_RESPONDER, whose }), [4]);
  });

  test('the chain is found in its table and taken away, and so is its set', () => {
    const saved = `*filter
:INPUT ACCEPT [0:0]
COMMIT
*nat
:faultline-abc - [0:0]
[0:0] -A OUTPUT -m comment --comment fault-1 -j faultline-abc
COMMIT
`;
    assert.equal(
      writeRemoval('faultline-abc', saved),
      `*nat
-D OUTPUT -m comment --comment fault-1 -j faultline-abc
-F faultline-abc
-X faultline-abc
COMMIT
`,
    );
    const names = 'faultline-abc-ports\nfaultline-abcd-ports\nother\n';
    assert.deepEqual(setsNamed('faultline-abc', names), ['faultline-abc-ports']);
    assert.deepEqual(tablesOfSets(names), ['faultline-abc', 'faultline-abcd']);
  });
});

test('nothing that is no name, id or port gets into any of it', () => {
  for (const wrong of [
    { table: 'filter' },
    { faultId: 'x" drop' },
    { ports: [] },
    { ports: [70_000] },
    { timeoutMs: 0.5 },
  ]) {
    const redirection = { ...TO_PROXY, ...wrong };
    assert.throws(() => writeRedirectTable(redirection, 1), BugError);
    assert.throws(() => writeRedirectChain(redirection, 4, 1, true), BugError);
    assert.throws(() => writePorts(redirection), BugError);
  }
  assert.throws(() => writeRedirectTable(TO_PROXY, 0), BugError);
  assert.throws(() => writeRedirectStop('filter'), BugError);
});
