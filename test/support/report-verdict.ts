import type { EndedBy } from '../../src/core/model/lifecycle.ts';
import type { ScheduledFault } from '../../src/core/model/scenario.ts';
import type { SeriesEntry } from '../../src/core/model/series.ts';
import type { Verdict } from '../../src/core/model/verdict.ts';

export const TOPIC_PARTITIONS = 6;

/** A fault of the made-up run. */
export interface FixtureFault extends ScheduledFault {
  targetNodes: string[];
  endedBy?: EndedBy;
  effect: 'seen' | 'unseen' | 'untestable';
  refused?: true;
}

/** A verdict with anomalies of both sorts, outages and an unknown check. */
export function fixtureVerdict(
  faults: readonly FixtureFault[],
  series: readonly SeriesEntry[],
): Verdict {
  const sum = (pick: (row: SeriesEntry) => number): number =>
    series.reduce((total, row) => total + pick(row), 0);
  const acting = faults.filter((fault) => !fault.refused && fault.kind !== 'noop');
  const windows = acting.slice(0, 12).map((fault, index) => ({
    kind: index % 3 === 0 ? ('poll' as const) : ('send' as const),
    topic: 'orders',
    topicPartition: index % TOPIC_PARTITIONS,
    fromNs: 5e12 + fault.atMs * 1e6,
    toNs: 5e12 + (fault.atMs + 1_000 + 300 * index) * 1e6,
    open: false,
    faults: [fault.id],
  }));
  const fixtureExample = (offset: number): Verdict['anomalies'][0]['examples'][0] => ({
    topic: 'orders',
    topicPartition: 2,
    offset,
    value: `0/${offset}`,
    index: 91_000 + offset,
    timeNs: 5e12 + 30_000e6 + offset * 1e6,
    says: `value 0/${offset} was acknowledged at offset ${offset} and is not in the final read`,
  });
  return {
    verdict: 'invalid',
    reasons: ['212 acknowledged records are lost (lostWrite)'],
    anomalies: [
      {
        kind: 'lostWrite',
        checker: 'log',
        count: 212,
        examples: [fixtureExample(1_001), fixtureExample(1_002), fixtureExample(1_003)],
        counts: true,
      },
      { kind: 'duplicate', checker: 'log', count: 1, examples: [fixtureExample(7)], counts: false },
    ],
    checks: {
      log: { verdict: 'invalid' },
      availability: { verdict: 'valid' },
      finalRead: { verdict: 'unknown', reason: 'topic-partition orders-4 was not read to its end' },
    },
    counts: {
      offered: sum((row) => row.offered),
      acknowledged: sum((row) => row.acknowledged),
      failed: sum((row) => row.failed),
      unknown: sum((row) => row.unknown),
      read: sum((row) => row.read),
      unknownButRead: 411,
      polledRows: sum((row) => row.read),
      sends: 91_233,
      polls: 12_001,
    },
    availability: {
      thresholdMs: 500,
      windows,
      count: windows.length,
      longestSendMs: 4_300,
      longestPollMs: 3_100,
      withoutFault: 0,
    },
    recovery: { healedNs: 5e12 + 80_000e6, sendMs: 640, pollMs: 910, never: [] },
  };
}
