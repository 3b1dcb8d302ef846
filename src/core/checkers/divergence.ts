import { Finding, type Checker } from './engine/checker.ts';
import { sayIncomplete } from './engine/say-incomplete.ts';

/** Two values at one offset: acknowledged or read there, by whomever. */
export const divergence: Checker = {
  name: 'divergence',
  summary: 'One offset of a topic-partition holds different values for different observers.',
  kinds: ['inconsistentOffsets'],
  begin({ ledger }) {
    const found = new Finding();
    // An offset counts once, however often it is read: offsets in conflict are few.
    const told = new Map<string, Set<number>>();
    return {
      conflict(place, offset, first, second, entry) {
        const offsets = told.get(place.name) ?? new Set<number>();
        told.set(place.name, offsets);
        if (offsets.has(offset)) return;
        offsets.add(offset);
        const [one, other] = [ledger.name(first), ledger.name(second)];
        found.add(1, () => ({
          topic: place.name,
          topicPartition: place.topicPartition,
          offset,
          value: one,
          other,
          index: 'index' in entry ? entry.index : -1,
          says: `offset ${offset} of ${place.name} holds both ${one} and ${other}`,
        }));
      },
      finish(report) {
        found.report(report, 'inconsistentOffsets');
        sayIncomplete(ledger, report);
      },
    };
  },
};
