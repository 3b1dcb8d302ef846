import { Finding, type Checker } from './engine/checker.ts';
import { TWICE } from './engine/place.ts';
import { sayIncomplete } from './engine/say-incomplete.ts';

/** One value at two or more offsets of its topic-partition. */
export const duplicate: Checker = {
  name: 'duplicate',
  summary: 'A value stands at more than one offset.',
  kinds: ['duplicate'],
  begin({ ledger }) {
    const found = new Finding();
    return {
      second(place, value, first, offset, entry) {
        const state = place.state[value] as number;
        if ((state & TWICE) !== 0) return;
        place.state[value] = state | TWICE;
        const name = ledger.name(value);
        found.add(1, () => ({
          topic: place.name,
          topicPartition: place.topicPartition,
          offset: first,
          value: name,
          other: String(offset),
          index: 'index' in entry ? entry.index : -1,
          says: `${name} stands at offsets ${first} and ${offset} of ${place.name}`,
        }));
      },
      finish(report) {
        found.report(report, 'duplicate');
        sayIncomplete(ledger, report);
      },
    };
  },
};
