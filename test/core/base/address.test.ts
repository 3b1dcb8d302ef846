import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { familyOf, parseAddress } from '../../../src/core/base/address.ts';

const SEED = { seed: 20_261_123, numRuns: 2_000 };

suite('addresses', () => {
  test('one text for one address (RFC 5952)', () => {
    const texts: [string, string][] = [
      ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
      ['2001:db8::0:1', '2001:db8::1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['::', '::'],
      ['::1', '::1'],
      ['1::', '1::'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['::FFFF:c000:201', '192.0.2.1'],
      ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
      ['192.0.2.1', '192.0.2.1'],
    ];
    for (const [text, expected] of texts) assert.equal(parseAddress(text)?.text, expected, text);
  });

  test('what is no address is none', () => {
    const texts = ['', 'n1', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4/24', ':::'];
    const more = ['1:2:3:4:5:6:7', '1::2::3', 'fe80::1%eth0', '12345::', '1:2:3:4:5:6:7:8:9', ':1'];
    const evil = [
      '1.2.3.4 }',
      '::1;drop',
      '1.2.3.4\n',
      '1:2:3:4:5:6:7::8',
      '1.2.3.4::',
      '::1.2.3.4:1',
    ];
    for (const text of [...texts, ...more, ...evil]) {
      assert.equal(parseAddress(text), undefined, JSON.stringify(text));
    }
  });

  test('Node agrees, and reading what was written changes nothing', () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom('0', ':', '.', 'a', 'f', '1') }),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        const address = parseAddress(candidate);
        assert.equal(address !== undefined, isIPv4(candidate) || isIPv6(candidate), candidate);
        if (address) assert.deepEqual(parseAddress(address.text), address);
      }),
      SEED,
    );
  });

  test('families are told apart, and each address counts once', () => {
    const mixed = ['::1', '10.0.0.1', '::ffff:10.0.0.1', 'host', '0:0::1'];
    assert.deepEqual(familyOf(4, mixed), ['10.0.0.1']);
    assert.deepEqual(familyOf(6, mixed), ['::1']);
  });
});
