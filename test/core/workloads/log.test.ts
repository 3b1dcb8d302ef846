import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as holds, integer, property } from 'fast-check';
import { protocolErrors } from '@platformatic/kafka';
import { SEND_ERRORS, sendError } from '../../../src/core/workloads/errors.ts';
import { LatencyHistogram } from '../../../src/core/workloads/latency.ts';
import { LogPlan, logSettings } from '../../../src/core/workloads/log.ts';
import { readPayload, writePayload } from '../../../src/core/workloads/payload.ts';
import { WORKLOADS } from '../../../src/core/workloads/registry.ts';
import { checkWorkloadSpec } from '../../../src/core/workloads/spec.ts';

const SEED = 20_261_123;

test('every arrival belongs to one writer, topic-partition and sequence, and counts once', () => {
  const sizes = [integer({ min: 1, max: 4 }), integer({ min: 1, max: 7 })] as const;
  holds(
    property(...sizes, integer({ min: 0, max: 500 }), (producers, topicPartitions, arrivals) => {
      const plan = new LogPlan({ producers, topicPartitions, rate: 100 });
      const all: number[] = [];
      for (let writer = 0; writer < producers; writer++) {
        for (let place = 0; place < topicPartitions; place++) {
          const share = plan.share(arrivals, writer, place);
          for (let sequence = 0; sequence < share; sequence++) {
            all.push(plan.arrivalOf(writer, place, sequence));
          }
        }
      }
      const expected = Array.from({ length: arrivals }, (_, index) => index);
      assert.deepEqual(
        all.sort((a, b) => a - b),
        expected,
      );
    }),
    { seed: SEED },
  );
});

test('the timetable and its inverse agree, idle times included', () => {
  const rates = integer({ min: 1, max: 100_000 });
  holds(
    property(rates, integer({ min: 0, max: 1e9 }), integer({ min: 0, max: 1 }), (rate, i, idle) => {
      const pattern = idle === 1 ? { idle: { busyMs: 700, quietMs: 1_300 } } : {};
      const plan = new LogPlan({ producers: 1, topicPartitions: 1, rate, ...pattern });
      const dueNs = plan.dueNs(i);
      // Nanoseconds are exact to 2^53: 104 days, longer than any run.
      if (dueNs > 2 ** 53) return;
      assert.ok(plan.arrivals(dueNs + 2) >= i + 1);
      assert.ok(plan.arrivals(dueNs - 2) <= i);
    }),
    { seed: SEED },
  );
  const plan = new LogPlan({
    producers: 1,
    topicPartitions: 1,
    rate: 10,
    idle: { busyMs: 1_000, quietMs: 9_000 },
  });
  assert.equal(plan.arrivals(9.9e9), 10);
  assert.equal(plan.arrivals(10e9), 11);
});

test('a record is known again, and every other byte string is not taken for one', () => {
  const run = { high: 7, low: 8 };
  const range = { topic: 0, topicPartition: 3, writer: 2, first: 5e9, count: 2 };
  const bytes = new Uint8Array(100);
  writePayload(bytes, run, range, 1);
  const value = { kind: 'value', writer: 2, sequence: 5e9 + 1 };
  assert.deepEqual(readPayload(bytes, run, 0, 3), value);
  assert.equal(readPayload(bytes, run, 0, 4).kind, 'misplaced');
  assert.equal(readPayload(bytes, { high: 7, low: 9 }, 0, 3).kind, 'foreign');
  assert.equal(readPayload(null, run, 0, 3).kind, 'unreadable');
  for (let index = 4; index < bytes.length; index++) {
    const flipped = Uint8Array.from(bytes);
    flipped[index] = (flipped[index] as number) ^ 1;
    assert.equal(readPayload(flipped, run, 0, 3).kind, 'damaged', `byte ${index}`);
  }
});

test('percentiles are within one bucket of the truth', () => {
  const histogram = new LatencyHistogram();
  for (let us = 1; us <= 100_000; us++) histogram.add(us);
  for (const share of [0.5, 0.95, 0.99]) {
    const exact = share * 100;
    const told = histogram.percentileMs(share);
    assert.ok(told >= exact && told <= exact * 1.04, `${share}: ${told}`);
  }
  assert.equal(histogram.maxMs, 100);
  histogram.clear();
  assert.equal(histogram.percentileMs(0.99), 0);
});

test('the error table names errors that exist, and says nothing is known of the others', () => {
  for (const [name, row] of Object.entries(SEND_ERRORS)) {
    assert.ok(row.reason.length > 10, name);
    const known = name in protocolErrors || /^[a-z]/.test(name);
    assert.ok(known, `${name} is no error of Kafka`);
  }
  assert.equal(sendError('NOT_LEADER_OR_FOLLOWER').outcome, 'info');
  assert.equal(sendError('SOMETHING_NEW').outcome, 'info');
});

test('a spec is refused with all its problems at once', () => {
  assert.deepEqual(
    WORKLOADS.map(({ kind }) => kind),
    ['log'],
  );
  const kafka = { bootstrap: 'a:1' };
  assert.ok(checkWorkloadSpec({ kind: 'log', run: 'r1', kafka, params: { rate: 5 } }).ok);
  const params = { rate: -1, acks: 'some', linger: 5 };
  const bad = checkWorkloadSpec({ kind: 'log', run: 'r1', kafka, params });
  assert.deepEqual(bad.ok ? [] : bad.problems.map(({ path }) => path).sort(), [
    '/params/acks',
    '/params/linger',
    '/params/rate',
  ]);
  const unsafe = { acks: '1', idempotence: true, minInsyncReplicas: 5 };
  const wrong = checkWorkloadSpec({ kind: 'log', run: 'r1', kafka, params: unsafe });
  assert.equal(wrong.ok ? 0 : wrong.problems.length, 2);
  assert.equal(logSettings({ acks: '1' }, 'r').idempotence, false);
  assert.equal(logSettings({ acks: '1' }, 'r').inFlight, 1);
});
