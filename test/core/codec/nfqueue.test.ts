import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { attribute, be16, be32, message, readAnswer } from '../../../src/core/codec/netlink.ts';
import {
  ACCEPT,
  DROP,
  PACKET,
  PacketReader,
  VERDICT_BYTES,
  writeBind,
  writeChanged,
  writeLength,
  writeVerdict,
} from '../../../src/core/codec/nfqueue.ts';
import { writeQueueRule } from '../../../src/core/codec/nft-queue-rule.ts';
import { readSteered, writeSteerTable } from '../../../src/core/codec/nft-steer.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** As the kernel writes it: the header, some attributes, the payload. */
function packet(id: number, payload: readonly number[], wholeBytes?: number): Uint8Array {
  return message(
    { type: PACKET, flags: 0, sequence: 0, family: 2, resource: 5 },
    attribute(1, be32(id), be16(0x0800), [1]),
    attribute(5, be32(3)),
    ...(payload.length > 0 ? [attribute(10, payload)] : []),
    ...(wholeBytes === undefined ? [] : [attribute(13, be32(wholeBytes))]),
  );
}

suite('nfqueue', () => {
  test('reads a packet: its id, its bytes, its whole length', () => {
    const bytes = packet(0x01020304, [9, 8, 7], 1500);
    const reader = new PacketReader(viewOf(bytes));
    assert.ok(reader.read(0, bytes.length));
    assert.equal(reader.id, 0x01020304);
    assert.equal(reader.length, 1500);
    const { payloadAt, payloadBytes } = reader;
    assert.deepEqual([...bytes.subarray(payloadAt, payloadAt + payloadBytes)], [9, 8, 7]);
    assert.ok(reader.readId(0, bytes.length));
    assert.equal(reader.id, 0x01020304);
  });

  test('any cut-off message is none, or harmless', () => {
    const bytes = packet(7, [1, 2, 3, 4], 4);
    for (let length = 0; length < bytes.length; length++) {
      const reader = new PacketReader(viewOf(bytes.slice(0, length)));
      if (reader.read(0, length)) assert.equal(reader.id, 7);
    }
    const answer = message({ type: 2, flags: 0, sequence: 9, family: 0, resource: 0 });
    assert.equal(new PacketReader(viewOf(answer)).read(0, answer.length), false);
    // Attributes without a length must not hold the loop.
    const zeroes = packet(7, []);
    zeroes.fill(0, 20);
    assert.equal(new PacketReader(viewOf(zeroes)).read(0, zeroes.length), false);
  });

  test('verdicts, byte for byte', () => {
    const bytes = new Uint8Array(2 * VERDICT_BYTES);
    writeVerdict(viewOf(bytes), 0, 5, 258, DROP, false);
    writeVerdict(viewOf(bytes), VERDICT_BYTES, 5, 258, ACCEPT, true);
    const header = (type: string): string => `20000000${type}030100000000000000000000000005`;
    assert.equal(hex(bytes.subarray(0, 32)), `${header('01')}0c0002000000000000000102`);
    assert.equal(hex(bytes.subarray(32)), `${header('03')}0c0002000000000100000102`);
  });

  test('other bytes for a packet', () => {
    const bytes = new Uint8Array(100);
    const length = writeChanged(bytes, 5, 1, Uint8Array.from([1, 2, 3]));
    assert.equal(length, 40);
    assert.equal(hex(bytes.subarray(20, 40)), '0c000200000000010000000107000a0001020300');
  });

  test('binding asks for what is needed and nothing else', () => {
    const [bind, set] = writeBind({ queue: 9, copyBytes: 0, length: 1000, merged: true });
    assert.equal(hex(bind?.subarray(16) ?? new Uint8Array()), '000000090800010001000000');
    assert.equal(
      hex(set?.subarray(20) ?? new Uint8Array()),
      '09000200000000000100000008000300000003e808000400000000050800050000000005',
    );
  });

  test('another length of the queue, for which no answer is asked', () => {
    assert.equal(
      hex(writeLength(9, 1000)),
      '1c0000000203010000000000000000000000000908000300000003e8',
    );
  });

  test('an answer of the kernel: done, or an errno', () => {
    const answer = new Uint8Array(36);
    const view = viewOf(answer);
    view.setUint16(4, 2, true);
    view.setUint32(8, 77, true);
    assert.deepEqual(readAnswer(view), { sequence: 77, errno: 0 });
    view.setInt32(16, -1, true);
    assert.deepEqual(readAnswer(view), { sequence: 77, errno: 1 });
    view.setUint16(4, 3, true);
    assert.equal(readAnswer(view), undefined);
  });
});

suite('steering', () => {
  test('the xtables rule is what iptables-nft writes', () => {
    const text = hex(writeQueueRule('faultline-x', 'held', 5));
    // NFQUEUE, revision 3; queue 5, one of them, bypass.
    assert.match(text, /4e465155455545000800024000000003|4e46515545554500/);
    assert.ok(text.includes('0c0003000500010001000000'));
  });

  test('a table: control passes first, then peers by family, port and protocol', () => {
    const text = writeSteerTable({
      table: 'faultline-steer1',
      faultId: 'steer-1',
      peers: [
        {
          name: 'n2',
          ipv4: ['198.51.100.2'],
          ipv6: ['2001:db8::2'],
          agentPort: 8611,
          ports: { local: [9092], remote: [9093, 9094] },
        },
        { name: 'n3', ipv4: ['198.51.100.3'], ipv6: [] },
      ],
      control: { coordinatorAddresses: ['198.51.100.9'], agentPort: 8611 },
      protocol: 'tcp',
      timeoutMs: 30_000,
    });
    const rules = text.split('\n').map((line) => line.trim());
    const at = (rule: string): number => {
      const found = rules.indexOf(rule);
      assert.ok(found >= 0, `${rule}\n${text}`);
      return found;
    };
    const control = at('ip saddr { 198.51.100.9 } tcp dport 8611 accept');
    assert.ok(at('iif "lo" accept') < control);
    for (const rule of [
      'ip saddr @g0v4 tcp dport { 9092 } ip saddr @c0v4 jump held comment "steer-1"',
      'ip saddr @g0v4 tcp sport { 9093, 9094 } ip saddr @c0v4 jump held comment "steer-1"',
      'ip6 saddr @g1v6 tcp dport { 9092 } ip6 saddr @c1v6 jump held comment "steer-1"',
      'ip saddr @g2v4 meta l4proto tcp ip saddr @c2v4 jump held comment "steer-1"',
    ])
      assert.ok(at(rule) > control);
    at('set c2v4 { type ipv4_addr; counter; elements = { 198.51.100.3 comment "n3" }; }');
  });

  test('pings are met as they leave, and their answers pass', () => {
    const text = writeSteerTable({
      table: 'faultline-steer1',
      faultId: 'steer-1',
      peers: [{ name: 'n2', ipv4: ['198.51.100.2'], ipv6: ['2001:db8::2'] }],
      control: { coordinatorAddresses: [], agentPort: 8611 },
      protocol: 'all',
      timeoutMs: 30_000,
      requestsLate: true,
    });
    const rules = text.split('\n').map((line) => line.trim());
    const place = (rule: string): number => {
      assert.ok(rules.includes(rule), `${rule}\n${text}`);
      return rules.indexOf(rule);
    };
    const input = place('ip saddr @g0v4 ip saddr @c0v4 jump held comment "steer-1"');
    assert.ok(place('icmp type echo-reply accept') < input);
    assert.ok(place('icmpv6 type echo-reply accept') < input);
    const hook = place('type filter hook output priority -5; policy accept;');
    for (const rule of [
      'icmp type echo-request ip daddr @g0v4 ip daddr @c0v4 jump held comment "steer-1"',
      'icmpv6 type echo-request ip6 daddr @g1v6 ip6 daddr @c1v6 jump held comment "steer-1"',
    ])
      assert.ok(place(rule) > hook);
  });

  test('packets are counted by peer, of this table alone', () => {
    const set = (table: string, name: string, elem: object[]): object => ({
      set: { table, name, elem: elem.map((each) => ({ elem: each })) },
    });
    const counted = (val: string, comment: string, packets: number): object => ({
      val,
      comment,
      counter: { packets, bytes: 0 },
    });
    const listed = JSON.stringify({
      nftables: [
        set('faultline-one', 'g0v4', [{ val: '198.51.100.2', expires: 9 }]),
        set('faultline-one', 'c0v4', [counted('198.51.100.2', 'n2', 3)]),
        set('faultline-one', 'c1v6', [counted('2001:db8::2', 'n2', 4)]),
        set('faultline-two', 'c0v4', [counted('198.51.100.2', 'n2', 100)]),
      ],
    });
    assert.deepEqual(readSteered('faultline-one', listed), { n2: 7 });
  });
});
