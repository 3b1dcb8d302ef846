import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimelineEntry } from '../../../src/core/model/run.ts';
import { faultBands } from '../../../src/host/report/bands.ts';
import { clusterColumns, POINTS_MAX, seriesColumns } from '../../../src/host/report/columns.ts';
import { embeddedJson, page } from '../../../src/host/report/page.ts';
import { reportData } from '../../../src/host/report/report-data.ts';
import { reportFixture } from '../../support/report-fixture.ts';

function entry(at: number, state: string, more: { endedBy?: string } = {}): TimelineEntry {
  const fault = { id: 'f', kind: 'noop', targets: ['n1'], effect: 'pending' };
  return { at, entry: 'fault', ...fault, state, ...more };
}

test('each occurrence of a repeating fault is a band of its own', () => {
  const timeline = [
    entry(1_000, 'arming'),
    entry(1_100, 'active'),
    entry(2_000, 'healing'),
    entry(2_100, 'healed', { endedBy: 'deadline' }),
    entry(3_000, 'active'),
  ];
  const bands = faultBands(timeline, [], 1_000, 4_000);
  assert.deepEqual(
    bands.map(({ fromMs, toMs, occurrence, open }) => ({ fromMs, toMs, occurrence, open })),
    [
      { fromMs: 100, toMs: 1_100, occurrence: 1, open: false },
      { fromMs: 2_000, toMs: 4_000, occurrence: 2, open: true },
    ],
  );
  assert.equal(bands[0]?.healingMs, 1_000);
});

test('a fault that never acted is a point that says so', () => {
  const [band] = faultBands([entry(10, 'arming'), entry(20, 'refused')], [], 0, 100);
  assert.deepEqual([band?.fromMs, band?.toMs, band?.acted, band?.open], [20, 20, false, false]);
});

test('an early end is early, a deadline is not', () => {
  for (const [endedBy, early] of [
    ['guard', true],
    ['deadline', false],
  ] as const) {
    const [band] = faultBands([entry(0, 'active'), entry(9, 'healed', { endedBy })], [], 0, 10);
    assert.equal(band?.early, early, endedBy);
  }
});

test('a leader that was gone for a while has not moved', () => {
  const rows = [
    [1, 2],
    [-1, 2],
    [1, 3],
  ].map((leaders, at): TimelineEntry => {
    return { at, entry: 'cluster', activeController: 1, leaders, isr: [[1], [2, 3]] };
  });
  const columns = clusterColumns(rows, 0);
  assert.deepEqual(columns.leaderChanges, [0, 0, 1]);
  assert.deepEqual(columns.leaderless, [0, 1, 0]);
  assert.deepEqual(columns.inSync, [3, 3, 3]);
});

test('long series are thinned, and the worst latency survives', () => {
  const { series } = reportFixture(1, 20_000_000);
  const last = series[9_999];
  assert.ok(last);
  last.latencyMs.max = 123_456;
  const columns = seriesColumns(series, 0);
  assert.ok(columns.atMs.length <= POINTS_MAX);
  assert.equal(Math.max(...columns.max.map((value) => value ?? 0)), 123_456);
});

test('windows of the history stand on the clock of the run', () => {
  const data = reportData(reportFixture());
  const [window] = data.windows;
  const fault = data.bands.find(({ id }) => id === window?.faults[0]);
  assert.equal(window?.fromMs, fault?.fromMs);
});

test('embedded JSON reads back the same and cannot end its element', () => {
  const value = { a: '</script><!-- ]]> & \u2028 \u2029 "', b: [1, null] };
  const text = embeddedJson(value);
  assert.doesNotMatch(text, /[<>&\u2028\u2029]/);
  assert.deepEqual(JSON.parse(text), value);
});

test('the title is escaped', () => {
  const text = page('</title><script>', { script: '1', style: '' }, {});
  assert.ok(text.includes('<title>&lt;/title&gt;&lt;script&gt;</title>'));
});
