import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { explainFault } from '../../../src/core/coordinator/explain.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';

/** The rules, and what takes them away, of one fault on its first node. */
function rulesOf(
  params: Record<string, unknown>,
  kind = 'network.partition',
): { rules: string; undoRules: string } {
  const targets = kind === 'network.partition' ? {} : { targets: 'n1' };
  const fault = { id: 'f-1', kind, atMs: 0, durationMs: 1_000, params, ...targets };
  const step = explainFault(fault, EXAMPLE_TOPOLOGY)?.nodes[0]?.steps[0];
  assert.ok(step);
  return { rules: step.rules ?? '', undoRules: step.undoRules ?? '' };
}

suite('explain', () => {
  const groups = [['n1'], ['n2', 'n3']];

  test('nftables in its own words', () => {
    const { rules, undoRules } = rulesOf({ groups, backend: 'nft' });
    assert.match(rules, /^ {2}ip saddr @g0v4 .*drop/m);
    assert.match(undoRules, /^delete table inet faultline-/m);
  });

  test('iptables and ipset in theirs, and not a word of nftables', () => {
    const { rules, undoRules } = rulesOf({ groups, backend: 'iptables' });
    const [token] = /faultline-[0-9a-z]+/.exec(rules) ?? [];
    for (const text of [rules, undoRules]) assert.doesNotMatch(text, /table inet|saddr/);
    assert.match(rules, /^# ipset restore\n[^]*^add faultline-\S+-g0v4 198\.18\.0\.2 timeout 30/m);
    assert.match(rules, /^# iptables-restore --noflush\n\*filter\n[^]*^-A .* -j DROP$/m);
    assert.match(rules, /^# ip6tables-restore --noflush\n/m);
    assert.equal(undoRules.split(`-D INPUT -m comment --comment "f-1" -j ${token}\n`).length, 3);
    assert.equal(undoRules.split(`-X ${token}\n`).length, 3);
    for (const set of ['g0v4', 'c0v4', 'g1v6', 'c1v6'])
      assert.ok(undoRules.includes(`destroy ${token}-${set}\n`), set);
  });

  test('qdiscs in the words of tc, and what chooses their classes in those of nftables', () => {
    const params = { latency: '20ms', peers: ['n2'], backend: 'netem' };
    const { rules } = rulesOf(params, 'network.delay');
    assert.match(rules, /^# tc -batch\nqdisc add dev eth0 root handle fa17: htb default 0$/m);
    assert.match(rules, /^qdisc replace dev eth0 .* netem limit 50000 delay 20000us$/m);
    assert.match(rules, /^# nft -f\n[^]*ip daddr @p0v4 counter jump c0/m);
  });
});
