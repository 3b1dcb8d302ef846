import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readShaper, writeShapeTable } from '../../../src/core/codec/nft-shape.ts';
import {
  classesOf,
  foreignOn,
  minorsOn,
  readQdiscs,
  readRoute,
  treesIn,
  writeTree,
  type StandingShaper,
} from '../../../src/core/codec/tc.ts';
import type { ShapeTable } from '../../../src/core/model/act-shaping.ts';
import type { PacketShape } from '../../../src/core/model/packet-shape.ts';
import {
  beyondQdiscs,
  readStage,
  stageOf,
  writeStage,
} from '../../../src/core/model/shape-stage.ts';

const NEVER = { numerator: 0, denominator: 1 };
const part = (
  numerator: number,
  denominator = 100,
): { numerator: number; denominator: number } => ({
  numerator,
  denominator,
});
const likely = { ratio: part(1), correlation: NEVER };
const late = { latencyUs: 100_000, jitterUs: 5_000, distribution: 'normal' } as const;
const DELAY: PacketShape = { delay: { ...late, correlation: part(25) } };
const RATE: PacketShape = {
  rate: { bytesPerSecond: 125_000, burstBytes: 32_768, latencyUs: 500_000 },
};

function shaper(slot: number, shape: PacketShape, peers: number[]): StandingShaper {
  return {
    table: `faultline-${slot}`,
    faultId: `f${slot}`,
    slot,
    stage: stageOf(shape),
    devices: ['eth0'],
    peers: peers.map((index) => ({ index, name: `n${index}` })),
  };
}

// As tc 6.1 printed them (tc -j qdisc show), of several machines.
const VETH = '{"kind":"noqueue","handle":"0:","dev":"eth0","root":true,"refcnt":2,"options":{}}';
const TREE =
  '{"kind":"htb","handle":"fa17:","dev":"eth0","root":true,"refcnt":3,"options":{"r2q":10,"default":"0","direct_packets_stat":1,"direct_qlen":1000}}';
const LEAF =
  '{"kind":"bfifo","handle":"21:","dev":"eth0","parent":"fa17:21","options":{"limit":50000}}';
const MQ =
  '{"kind":"mq","handle":"0:","dev":"eth0","root":true,"options":{}},{"kind":"pfifo_fast","handle":"0:","dev":"eth0","parent":":1","options":{"bands":3,"priomap":[1,2,2,2,1,2,0,0,1,1,1,1,1,1,1,1],"multiqueue":false}}';
const HTB =
  '{"kind":"htb","handle":"1:","dev":"eth0","root":true,"refcnt":3,"options":{"r2q":10,"default":"0x1","direct_packets_stat":1,"direct_qlen":1000}}';
const CLSACT = '{"kind":"clsact","handle":"ffff:","dev":"eth0","parent":"ffff:fff1","options":{}}';
const listed = (...parts: string[]): ReturnType<typeof readQdiscs> =>
  readQdiscs(`[${parts.join(',')}]`);

suite('the tree of qdiscs', () => {
  test('what netem is told, and how it is read back', () => {
    const says: [PacketShape, string][] = [
      [DELAY, 'time_delay_100000us_5000us_25%_distribution_normal'],
      [{ delay: { ...late, jitterUs: 0, correlation: NEVER } }, 'time_delay_100000us'],
      [
        { delay: { ...late, distribution: 'uniform', correlation: NEVER } },
        'time_delay_100000us_5000us',
      ],
      [{ loss: likely }, 'loss_loss_random_1%'],
      [
        { loss: { p: part(1), r: part(1, 3), h: NEVER, k: part(1, 1) } },
        'loss_loss_gemodel_1%_33.333333%_100%_0%',
      ],
      [{ duplicate: { ratio: part(1, 8), correlation: part(5) } }, 'duplicate_duplicate_12.5%_5%'],
      [{ corrupt: { ...likely, bytes: 1, checksum: 'kept' } }, 'corrupt_corrupt_1%'],
      // netem names those that overtake.
      [{ reorder: { chosen: likely, holdUs: 10_000 } }, 'time_delay_10000us_reorder_99%'],
      [RATE, 'rate_125000_32768_500000'],
    ];
    for (const [shape, text] of says) {
      assert.equal(writeStage(stageOf(shape)), text);
      assert.deepEqual(readStage(text), stageOf(shape));
      assert.ok(text.length <= 120, 'a comment of nftables has 128 bytes');
      assert.equal(beyondQdiscs(shape), undefined);
    }
    for (const text of ['', 'rate', 'sort_1', 'loss_"; drop', 'loss_loss random'])
      assert.equal(readStage(text), undefined, text);
    assert.match(beyondQdiscs({ reorder: { chosen: { gap: 5 }, holdUs: 1 } }) ?? '', /n-th/);
    assert.match(beyondQdiscs({ corrupt: { ...likely, bytes: 2, checksum: 'kept' } }) ?? '', /bit/);
  });

  test('a class for each set of faults that may meet a packet to a peer', () => {
    const both = [shaper(0, RATE, [1, 2]), shaper(2, DELAY, [2])];
    const classes = classesOf(both, 'eth0').map(({ minor, stages }) => [
      minor.toString(16),
      stages.map(({ sort }) => sort).join(' '),
    ]);
    assert.deepEqual(classes, [
      ['11', 'rate'],
      ['21', 'rate'],
      ['24', 'time'],
      ['25', 'rate time'],
    ]);
    assert.deepEqual(classesOf(both, 'eth1'), []);
  });

  test('made, added to, and taken away again, line by line', () => {
    const rate = shaper(0, RATE, [2]);
    const open = 'htb rate 32gbit ceil 32gbit burst 1mb cburst 1mb quantum 60000';
    assert.deepEqual(writeTree('eth0', classesOf([rate], 'eth0'), listed(VETH)), [
      'qdisc add dev eth0 root handle fa17: htb default 0',
      'class replace dev eth0 parent fa17: classid fa17:21 htb rate 125000bps ceil 125000bps burst 32768 cburst 32768 quantum 60000',
      'qdisc replace dev eth0 parent fa17:21 handle 21: bfifo limit 62500',
    ]);
    const there = listed(TREE, LEAF);
    assert.deepEqual([...minorsOn(there, 'eth0')], [0x21]);
    assert.deepEqual(treesIn(there), ['eth0']);
    const more = classesOf([rate, shaper(1, DELAY, [2])], 'eth0');
    assert.deepEqual(writeTree('eth0', more, there), [
      `class replace dev eth0 parent fa17: classid fa17:22 ${open}`,
      'qdisc replace dev eth0 parent fa17:22 handle 22: netem limit 50000 delay 100000us 5000us 25% distribution normal',
      'class replace dev eth0 parent fa17: classid fa17:23 htb rate 125000bps ceil 125000bps burst 32768 cburst 32768 quantum 60000',
      'qdisc replace dev eth0 parent fa17:23 handle 23: netem limit 50000 delay 100000us 5000us 25% distribution normal',
    ]);
    const stale = writeTree('eth0', classesOf([rate], 'eth0'), there, 1);
    assert.deepEqual(stale.slice(0, 1), ['class del dev eth0 classid fa17:21']);
    assert.equal(stale.length, 3, 'and it is made anew');
    assert.deepEqual(writeTree('eth0', [], there), ['qdisc del dev eth0 root handle fa17:']);
    assert.deepEqual(writeTree('eth0', [], listed(HTB)), [], 'never what somebody else has made');
  });

  test('what could not be put back exactly is foreign', () => {
    assert.equal(foreignOn(listed(VETH), 'eth0', 'fq_codel'), undefined);
    assert.equal(foreignOn(listed(MQ), 'eth0', 'pfifo_fast'), undefined);
    assert.equal(foreignOn(listed(MQ, CLSACT), 'eth0', undefined), undefined);
    assert.equal(foreignOn(listed(TREE, LEAF), 'eth0', 'fq'), undefined);
    assert.match(foreignOn(listed(HTB), 'eth0', 'fq') ?? '', /eth0 has .* made \(htb 1:\)/);
    const child = MQ.replace(
      '"handle":"0:","dev":"eth0","parent"',
      '"handle":"8001:","dev":"eth0","parent"',
    );
    assert.match(foreignOn(listed(child), 'eth0', 'pfifo_fast') ?? '', /pfifo_fast 8001:/);
    assert.match(foreignOn(listed(MQ), 'eth0', 'fq') ?? '', /give eth0 fq, and not pfifo_fast/);
    assert.equal(foreignOn(listed(HTB), 'eth1', 'fq'), undefined);
  });

  test('the way to an address', () => {
    const told =
      '[{"dst":"10.9.0.77","dev":"v0","prefsrc":"10.9.0.1","flags":[],"uid":0,"cache":[]}]';
    assert.equal(readRoute(told), 'v0');
    assert.equal(readRoute('[]'), undefined);
  });
});

suite('the table that chooses a class', () => {
  const shaping: ShapeTable = {
    table: 'faultline-x',
    faultId: 'slow',
    peers: [
      { name: 'n2', ipv4: ['10.0.0.2'], ipv6: ['fd00::2'], agentPort: 8611 },
      { name: 'n3', ipv4: ['10.0.0.3'], ipv6: [], ports: { local: [9092], remote: [9093] } },
    ],
    control: { coordinatorAddresses: ['10.0.0.9'], agentPort: 8611 },
    protocol: 'tcp',
    timeoutMs: 30_000,
    devices: ['eth0'],
    shape: RATE,
  };

  test('control passes first, then peers as they are left for; the class has all bits', () => {
    const text = writeShapeTable(shaping, { slot: 1, indices: { n2: 1, n3: 2 } });
    const has = (line: string): void => assert.ok(text.includes(line), `${line}\n${text}`);
    has('meta priority set meta priority | fa17:12');
    has('meta priority set meta priority | fa17:22');
    has('ip daddr { 10.0.0.9 } tcp sport 8611 accept');
    has('ip saddr { 10.0.0.9 } ip daddr { 10.0.0.2 } tcp dport 8611 accept');
    has('ip daddr @p0v4 meta l4proto tcp counter jump c0 comment "slow n2"');
    has('ip daddr @p1v4 tcp sport { 9092 } counter jump c1 comment "slow n3"');
    has('ip daddr @p1v4 tcp dport { 9093 } counter jump c1 comment "slow n3"');
  });

  test('says of itself what it is', () => {
    // As nft 1.0.6 lists a chain.
    const rule = (comment: string): object => ({
      rule: {
        family: 'inet',
        table: 'faultline-x',
        chain: 'about',
        handle: 5,
        comment,
        expr: [{ counter: { packets: 0, bytes: 0 } }],
      },
    });
    const text = writeShapeTable(shaping, { slot: 1, indices: { n2: 1, n3: 2 } });
    const about = [...text.matchAll(/^ {2}counter comment "([^"]+)"$/gm)].map((match) => match[1]);
    const nftables = about.map((comment) => rule(comment ?? ''));
    assert.deepEqual(readShaper('faultline-x', JSON.stringify({ nftables })), {
      table: 'faultline-x',
      faultId: 'slow',
      slot: 1,
      stage: stageOf(RATE),
      devices: ['eth0'],
      peers: [
        { index: 1, name: 'n2' },
        { index: 2, name: 'n3' },
      ],
    });
    assert.equal(readShaper('faultline-x', '{"nftables":[]}'), undefined);
  });
});
