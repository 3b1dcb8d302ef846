import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { unknownVerdict, withRun } from '../../../src/core/coordinator/run-verdict.ts';
import type { FaultStatus } from '../../../src/core/model/fault-status.ts';
import type { RunStatus } from '../../../src/core/model/run.ts';
import type { Anomaly, Verdict } from '../../../src/core/model/verdict.ts';

const noProgress: Anomaly = {
  kind: 'noProgress',
  checker: 'recovery',
  count: 1,
  examples: [],
  counts: true,
};
const judged = (...anomalies: Anomaly[]): Verdict => ({
  ...unknownVerdict(''),
  reasons: [],
  verdict: anomalies.length > 0 ? 'invalid' : 'valid',
  anomalies,
});
const run = {
  skipped: [],
  schedule: { faults: [{}] },
  recovery: { recovered: false, afterMs: 60_000, says: 'not whole within 1m' },
} as unknown as RunStatus;

function fault(kind: string, params: object, second: number, more: object = {}): FaultStatus {
  const at = (offset: number): string => `2026-01-01T00:00:${10 + second + offset}Z`;
  return {
    id: kind,
    kind,
    request: { id: kind, kind, params },
    effect: 'seen',
    state: 'healed',
    endedBy: 'deadline',
    targets: ['n1'],
    nodes: {},
    firedAt: at(0),
    endedAt: at(5),
    ...more,
  } as unknown as FaultStatus;
}
const failedWrites = fault(
  'disk.error',
  { errno: 'EIO', preset: 'log', match: { op: ['write'] } },
  0,
);

suite('a log directory that a fault took offline', () => {
  test('explains what does not come back', () => {
    const verdict = withRun(judged(noProgress), run, [failedWrites]);
    assert.equal(verdict.verdict, 'unknown');
    assert.deepEqual(verdict.anomalies, []);
    assert.match(verdict.reasons.join('\n'), /disk.error took a log directory of n1 offline/);
  });

  test('explains no lost record', () => {
    const lost = { ...noProgress, kind: 'lostWrite', checker: 'loss' };
    const verdict = withRun(judged(lost), run, [failedWrites]);
    assert.equal(verdict.verdict, 'invalid');
    assert.deepEqual(verdict.anomalies, [lost]);
  });

  test('explains nothing once its broker was started again', () => {
    const kill = fault('process.kill', {}, 10);
    assert.equal(withRun(judged(noProgress), run, [failedWrites, kill]).verdict, 'invalid');
    const elsewhere = { ...kill, targets: ['n2'] };
    assert.equal(withRun(judged(noProgress), run, [failedWrites, elsewhere]).verdict, 'unknown');
  });

  test('is none where Kafka keeps it online, or nothing was hit', () => {
    for (const other of [
      fault('disk.error', { errno: 'EIO', preset: 'log', match: { op: ['read'] } }, 0),
      fault('disk.error', { errno: 'EIO', preset: 'index', match: { op: ['write'] } }, 0),
      fault('disk.delay', { latency: { fixed: '2s' } }, 0),
      fault('disk.fsync', { how: 'ignored' }, 0),
      { ...failedWrites, effect: 'untestable' as const },
    ]) {
      assert.equal(withRun(judged(noProgress), run, [other]).verdict, 'invalid', other.kind);
    }
    for (const kind of ['disk.full', 'disk.readonly', 'disk.gone']) {
      assert.equal(withRun(judged(), run, [fault(kind, {}, 0)]).verdict, 'unknown', kind);
    }
  });
});

suite('a fault that did not go as it was meant to', () => {
  const whole = { skipped: [], schedule: { faults: [{}, {}] } } as unknown as RunStatus;
  const word = (more: object): string =>
    withRun(judged(), whole, [fault('process.pause', {}, 0, more)]).verdict;

  test('leaves nothing better than unknown where it was in force', () => {
    assert.equal(word({}), 'valid');
    assert.equal(word({ endedBy: 'lease' }), 'unknown');
    assert.equal(word({ state: 'failed', endedBy: undefined }), 'unknown');
    const lost = { ...noProgress, kind: 'lostWrite', checker: 'loss' };
    const failed = fault('process.pause', {}, 0, { state: 'failed' });
    assert.equal(withRun(judged(lost), whole, [failed]).verdict, 'invalid');
  });

  test('is told, and no more, where it never fired', () => {
    const missed = { state: 'missed', endedBy: undefined, firedAt: undefined };
    const done = fault('noop', {}, 0);
    const late = fault('process.pause', {}, 0, missed);
    const { verdict, reasons } = withRun(judged(), whole, [done, late]);
    assert.deepEqual([verdict, reasons], ['valid', ['fault process.pause (process.pause) missed']]);
  });

  test('makes a run one that tried nothing, where it is all of them', () => {
    const missed = { state: 'missed', endedBy: undefined, firedAt: undefined };
    assert.equal(word(missed), 'unknown');
    const skipped = [{ id: 'r-1', kind: 'noop', atMs: 0, reason: "limit 'nodes'" }];
    const refused = { ...whole, skipped };
    const { verdict, reasons } = withRun(judged(), refused, []);
    assert.equal(verdict, 'unknown');
    assert.match(reasons.join('; '), /r-1 \(noop\) was skipped: limit 'nodes'; no fault/);
    const calm = { skipped: [], schedule: { faults: [] } } as unknown as RunStatus;
    assert.equal(withRun(judged(), calm, []).verdict, 'valid');
  });
});
