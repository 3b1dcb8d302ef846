import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  isHooked,
  readChains,
  readOurChains,
  setsNamed,
  tablesOfSets,
  writeChain,
  writeRemoval,
  writeSets,
} from '../../../src/core/codec/iptables.ts';
import { EVERY_PACKET, type RuleTable } from '../../../src/core/model/act-netfilter.ts';

const RULES: RuleTable = {
  backend: 'iptables',
  table: 'faultline-0abc',
  faultId: 'f-1',
  peers: [
    { name: 'n2', ipv4: ['198.18.0.2'], ipv6: ['2001:DB8::2'], agentPort: 8611 },
    { name: 'n3', ipv4: ['198.18.0.3'], ipv6: [], ports: { local: [9092], remote: [9093] } },
  ],
  control: { coordinatorAddresses: ['198.18.0.254'], agentPort: 8611 },
  protocol: 'tcp',
  how: 'drop',
  perMillion: EVERY_PACKET,
  timeoutMs: 30_000,
};

suite('iptables', () => {
  test('a chain of one family: the control path, then each group with what counts it last', () => {
    const inSet = (set: string): string => `-m set --match-set faultline-0abc-${set} src`;
    const third = `-A faultline-0abc -p tcp ${inSet('g2v4')} -m multiport`;
    const counted = `-m comment --comment "f-1" ${inSet('c2v4')} -j DROP`;
    assert.equal(
      writeChain(RULES, 4, true),
      `*filter
:faultline-0abc - [0:0]
-A faultline-0abc -i lo -j RETURN
-A faultline-0abc -s 198.18.0.254 -p tcp --dport 8611 -j RETURN
-A faultline-0abc -d 198.18.0.254 -p tcp --sport 8611 ! --tcp-flags SYN,ACK SYN ${inSet('g0v4')} -j RETURN
-A faultline-0abc -p tcp ${inSet('g0v4')} -m comment --comment "f-1" ${inSet('c0v4')} -j DROP
${third} --dports 9092 ${counted}
${third} --sports 9093 ${counted}
-I INPUT 1 -m comment --comment "f-1" -j faultline-0abc
COMMIT
`,
    );
    assert.doesNotMatch(writeChain(RULES, 6, false), /INPUT|198\.18/);
  });

  test('resets let the other side’s resets through; a share of the packets is a share', () => {
    const chain = writeChain({ ...RULES, how: 'reset', perMillion: 250_000 }, 4, false);
    assert.match(chain, /-p tcp --tcp-flags RST RST -j RETURN/);
    assert.match(chain, /--mode random --probability 0.25 .* -j REJECT --reject-with tcp-reset/);
  });

  test('without ipset, addresses stand in the rules', () => {
    const chain = writeChain({ ...RULES, backend: 'iptables-plain' }, 4, false);
    assert.match(chain, /-p tcp -s 198\.18\.0\.2 -m comment --comment "f-1 n2"/);
    assert.match(chain, /-d 198\.18\.0\.254 .* -s 198\.18\.0\.2 -j RETURN/);
    assert.doesNotMatch(chain, /match-set/);
  });

  test('sets: who is bitten is in with a timeout, who is not is taken out', () => {
    assert.equal(
      writeSets(RULES, new Set(['n2'])),
      `create faultline-0abc-c0v4 hash:ip family inet hashsize 64 counters -exist
add faultline-0abc-c0v4 198.18.0.2 -exist
create faultline-0abc-g0v4 hash:ip family inet hashsize 64 timeout 30 -exist
add faultline-0abc-g0v4 198.18.0.2 timeout 30 -exist
create faultline-0abc-c1v6 hash:ip family inet6 hashsize 64 counters -exist
add faultline-0abc-c1v6 2001:db8::2 -exist
create faultline-0abc-g1v6 hash:ip family inet6 hashsize 64 timeout 30 -exist
add faultline-0abc-g1v6 2001:db8::2 timeout 30 -exist
create faultline-0abc-c2v4 hash:ip family inet hashsize 64 counters -exist
add faultline-0abc-c2v4 198.18.0.3 -exist
create faultline-0abc-g2v4 hash:ip family inet hashsize 64 timeout 30 -exist
del faultline-0abc-g2v4 198.18.0.3 -exist
`,
    );
  });

  const saved = `*filter
:INPUT ACCEPT [0:0]
:faultline-0abc - [0:0]
:mine - [0:0]
[9:0] -A INPUT -m comment --comment f-1 -j faultline-0abc
[9:0] -A INPUT -j mine
[9:12] -A faultline-0abc -m comment --comment f-1 -m set --match-set faultline-0abc-c0v4 src -j DROP
[3:12] -A faultline-0abc -s 198.18.0.2 -m comment --comment "f-1 n2" -j DROP
[4:12] -A faultline-0abc -p tcp -m comment --comment "f-1 n2" -j DROP
[7:12] -A mine -m comment --comment "f-1 n9" -j DROP
COMMIT
`;

  test('removal takes away what is there, and nothing of anybody else', () => {
    assert.equal(
      writeRemoval('faultline-0abc', saved),
      `*filter
-D INPUT -m comment --comment f-1 -j faultline-0abc
-F faultline-0abc
-X faultline-0abc
COMMIT
`,
    );
    assert.equal(writeRemoval('faultline-none', saved), '');
    assert.throws(() => writeRemoval('mine', saved));
  });

  test('counters, entries and names are read back', () => {
    const sets =
      'create faultline-0abc-g0v4 hash:ip\nadd faultline-0abc-g0v4 198.18.0.2 timeout 9\n' +
      'add faultline-0abc-c0v4 198.18.0.2 packets 5 bytes 60\n';
    const listed = readChains(RULES, [saved], sets);
    assert.deepEqual(listed.packets, { n2: 7, '198.18.0.2': 5 });
    assert.deepEqual(listed.addresses, { g0v4: ['198.18.0.2'], c0v4: ['198.18.0.2'] });
    assert.equal(listed.faultId, 'f-1');
    const grouped = saved.replaceAll(/^\[[34].*\n/gm, '');
    assert.equal(readChains(RULES, [grouped], '').faultId, 'f-1');
    assert.deepEqual(readOurChains(saved), ['faultline-0abc']);
    assert.equal(isHooked('faultline-0abc', saved), true);
    const names = 'faultline-0abc-g0v4\nfaultline-0abcd-c0v4\nother-g0v4\n';
    assert.deepEqual(setsNamed('faultline-0abc', names), ['faultline-0abc-g0v4']);
    assert.deepEqual(tablesOfSets(names), ['faultline-0abc', 'faultline-0abcd']);
  });
});
