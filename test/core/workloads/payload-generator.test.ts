import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkSchema } from '../../../src/core/base/schema.ts';
import { coerce } from '../../../src/core/trogdor/coerce.ts';
import { payloadGenerator } from '../../../src/core/workloads/payload-generator.ts';
import { checkPayload, PayloadSpec } from '../../../src/core/workloads/payload-spec.ts';
import { lacks, ROOT } from '../../support/needs.ts';
import { hasTimestamp, PAYLOAD_CASES } from '../../support/trogdor/payload-cases.ts';
import { makePayloads, type MadePayloads } from '../../support/trogdor/real-payloads.ts';

const RECORDED = JSON.parse(
  readFileSync(join(ROOT, 'test', 'conformance', 'trogdor', 'payloads.json'), 'utf8'),
) as MadePayloads[];

/** The time in them is not compared. */
function comparable(cases: readonly MadePayloads[]): unknown[] {
  return cases.map((one) => ({
    spec: one.spec,
    made: one.made.map((made) => (hasTimestamp(one) ? (made?.slice(16) ?? null) : made)),
  }));
}

function read(raw: unknown): PayloadSpec {
  const checked = checkSchema(PayloadSpec, coerce(PayloadSpec, raw));
  assert.ok(checked.ok, JSON.stringify(checked));
  assert.deepEqual(checkPayload(checked.value, ''), []);
  return checked.value;
}

test("payloads are, byte for byte, those that Trogdor's generators made", () => {
  const ours = PAYLOAD_CASES.map(({ spec, positions }): MadePayloads => {
    const generate = payloadGenerator(read(spec));
    const made = positions.map((position) => {
      const bytes = generate(position, 1_700_000_000_000);
      return bytes && Buffer.from(bytes).toString('hex');
    });
    return { spec, positions, made };
  });
  assert.deepEqual(comparable(ours), comparable(RECORDED));
});

test(
  'the real generators still make what was recorded',
  { skip: lacks('java', 'trogdor-jars') },
  () => {
    assert.deepEqual(comparable(makePayloads(PAYLOAD_CASES)), comparable(RECORDED));
  },
);

test('a payload begins with the time, little endian', () => {
  const generate = payloadGenerator(read({ type: 'timestampConstant', size: 9 }));
  const bytes = Buffer.from(generate(3, 1_700_000_000_123) ?? []);
  assert.equal(bytes.readBigInt64LE(0), 1_700_000_000_123n);
  assert.deepEqual(bytes.subarray(8), Buffer.alloc(1));
});

test('generators that can make nothing are refused, all mistakes at once', () => {
  const cases: [unknown, string[]][] = [
    [{ type: 'uniformRandom', size: 4, padding: 9 }, ['/padding']],
    [{ type: 'timestampRandom', size: 4 }, ['/size']],
    [{ type: 'gaussianTimestampConstant', messageSizeAverage: 9 }, ['/messagesUntilSizeChange']],
    [
      {
        type: 'randomComponent',
        components: [
          { percent: 0, component: { type: 'null' } },
          { percent: 90, component: { type: 'timestampConstant', size: 1 } },
        ],
      },
      ['/components/0/percent', '/components/1/component/size', '/components'],
    ],
  ];
  for (const [raw, paths] of cases) {
    const spec = coerce(PayloadSpec, raw) as PayloadSpec;
    assert.deepEqual(checkSchema(PayloadSpec, spec).ok, true);
    assert.deepEqual(
      checkPayload(spec, '').map(({ path }) => path),
      paths,
    );
  }
  const unknown = checkSchema(PayloadSpec, coerce(PayloadSpec, { type: 'random', size: 4 }));
  assert.ok(!unknown.ok);
  assert.ok(unknown.problems.some(({ expected = '' }) => /uniformRandom/.test(expected)));
});
