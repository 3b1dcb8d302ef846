import { Finding, type Checker } from './engine/checker.ts';
import { hasFailed, SEEN } from './engine/place.ts';
import { sayIncomplete } from './engine/say-incomplete.ts';

const SAYS = {
  foreign: 'a record of another run',
  misplaced: 'a record written to another topic-partition',
  damaged: 'a record whose own checksum fails',
  unreadable: 'a record that none of our producers writes',
} as const;

/**
 * Records that should not be there: phantom (nobody sent it, or not there), damagedRecord (its content
 * changed), corruptBatch (CRC-32C of a batch fails, or it is none), failedRead (every attempt was
 * definitely refused, and yet it was read; Jepsen's G1a for single records).
 */
export const phantom: Checker = {
  name: 'phantom',
  summary: 'A record was read that nobody can have written, or whose bytes changed.',
  kinds: ['phantom', 'damagedRecord', 'corruptBatch', 'failedRead'],
  begin({ ledger }) {
    const phantoms = new Finding();
    const damaged = new Finding();
    const corrupt = new Finding();
    const failedRead = new Finding();
    return {
      unsent(place, writer, sequence, offset, entry) {
        const value = `${writer}/${sequence}`;
        const says = `${value} at offset ${offset} of ${place.name} was never sent`;
        const index = 'index' in entry ? entry.index : -1;
        const { topicPartition } = place;
        phantoms.add(1, () => ({ topic: place.name, topicPartition, offset, value, index, says }));
      },
      entry(entry, place) {
        if (entry.type === 'header' || entry.f !== 'poll' || entry.value === undefined) return;
        const { strange, corrupt: batches, topicPartition } = entry.value;
        const where = { topic: place?.name ?? '', topicPartition, index: entry.index };
        for (const { offset, why, bytes } of strange ?? []) {
          const to = why === 'foreign' || why === 'misplaced' ? phantoms : damaged;
          const says = `${SAYS[why]} at offset ${offset} of ${where.topic}: ${bytes}`;
          to.add(1, () => ({ ...where, offset, says }));
        }
        for (const { offset, expected, actual, damage } of batches ?? []) {
          const sums = `CRC says ${expected.toString(16)}, bytes say ${actual.toString(16)}`;
          const what = expected === actual && damage !== undefined ? damage : sums;
          const says = `batch at offset ${offset} of ${where.topic}: ${what}`;
          corrupt.add(1, () => ({ ...where, offset, says }));
        }
      },
      finish(report) {
        for (const place of ledger.places) {
          for (let value = 0; value < place.values; value++) {
            const state = place.state[value] as number;
            if ((state & SEEN) === 0 || !hasFailed(state)) continue;
            const offset = place.offsets[value] as number;
            const { name: topic, topicPartition } = place;
            const name = ledger.name(value);
            const says = `${name} was definitely refused, and read at offset ${offset} of ${topic}`;
            failedRead.add(1, () => ({ topic, topicPartition, offset, value: name, says }));
          }
        }
        phantoms.report(report, 'phantom');
        damaged.report(report, 'damagedRecord');
        corrupt.report(report, 'corruptBatch');
        failedRead.report(report, 'failedRead');
        sayIncomplete(ledger, report);
      },
    };
  },
};
