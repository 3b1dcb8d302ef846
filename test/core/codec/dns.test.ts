import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isListed, readQuery, readResolvers, writeReply } from '../../../src/core/codec/dns.ts';
import { Random } from '../../../src/core/base/random.ts';

/** Id 0x0102, recursion desired, one question: A of 'N1.example'. */
const QUERY = new Uint8Array(
  Buffer.from('010201000001000000000000024e31076578616d706c650000010001', 'hex'),
);

suite('dns', () => {
  test('a query is read, and answered as its fault says', () => {
    const question = readQuery(QUERY);
    assert.deepEqual(question, { id: 0x0102, name: 'n1.example', type: 1, end: QUERY.length });
    assert.equal(writeReply(QUERY, question, 'timeout'), undefined);
    const hex = (reply: Uint8Array | undefined, from: number, to?: number): string =>
      Buffer.from(reply ?? [])
        .subarray(from, to)
        .toString('hex');
    assert.equal(hex(writeReply(QUERY, question, 'nxdomain'), 0, 12), '010281830001000000000000');
    assert.equal(hex(writeReply(QUERY, question, 'servfail'), 2, 4), '8182');
    const right = writeReply(QUERY, question, { address: '192.0.2.1' });
    assert.equal(hex(right, 2, 8), '818000010001');
    assert.equal(hex(right, QUERY.length), 'c00c00010001000000010004c0000201');
    const other = writeReply(QUERY, question, { address: '2001:db8::1' });
    assert.equal(hex(other, 2, 8), '818000010000');
    const aaaa = writeReply(QUERY, { ...question, type: 28 }, { address: '2001:db8::1' });
    assert.equal(hex(aaaa, -16), '20010db8000000000000000000000001');
  });

  test('bytes that are no query are none, whatever they are', () => {
    const random = new Random(53);
    for (let length = 0; length < QUERY.length; length++)
      assert.equal(readQuery(QUERY.subarray(0, length)), undefined);
    for (let round = 0; round < 5_000; round++) {
      const bytes = Uint8Array.from(QUERY);
      for (let flips = random.between(1, 4); flips > 0; flips--)
        bytes[random.below(bytes.length)] = random.below(256);
      const question = readQuery(bytes);
      if (question) writeReply(bytes, question, 'nxdomain');
    }
  });

  test('names: exact whatever their case, or all below one', () => {
    assert.ok(isListed([], 'anything'));
    assert.ok(isListed(['N1.example.'], 'n1.example'));
    assert.ok(isListed(['*.example'], 'a.b.example'));
    assert.ok(!isListed(['*.example'], 'example'));
    assert.ok(!isListed(['*.example'], 'notexample'));
  });

  test('resolv.conf: nameservers, and nothing else', () => {
    const text = 'search a\nnameserver 127.0.0.53 # us\n nameserver 2001:DB8::53\nnameserver x\n';
    assert.deepEqual(readResolvers(text), ['127.0.0.53', '2001:db8::53']);
  });
});
