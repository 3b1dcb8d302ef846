import type { HistoryEntry, PollEntry } from '../model/history.ts';
import { Finding, type Checker } from './engine/checker.ts';
import type { Ledger } from './engine/ledger.ts';
import { SEEN, type Place } from './engine/place.ts';
import { sayIncomplete } from './engine/say-incomplete.ts';

/** A stretch of offsets a reader passed over; whether records stand there is known at the end. */
interface Gap {
  place: Place;
  from: number;
  to: number;
  within: boolean;
  process: number;
  index: number;
}

class Polls {
  readonly backwards = new Finding();
  readonly backwardsWithin = new Finding();
  readonly gaps: Gap[] = [];
  /** Last offset a reader was given, by process, then place. */
  #last = new Map<number, Map<Place, number>>();

  stand(process: number, place: Place, next: number): void {
    const places = this.#last.get(process) ?? new Map<Place, number>();
    this.#last.set(process, places);
    places.set(place, next - 1);
  }

  poll(entry: PollEntry, place: Place): void {
    const { process, index } = entry;
    const places = this.#last.get(process) ?? new Map<Place, number>();
    this.#last.set(process, places);
    let last = places.get(place);
    let within = false;
    for (const [offset, , , count] of entry.value?.runs ?? []) {
      if (last !== undefined && offset <= last) {
        const after = last;
        const says = `offset ${offset} of ${place.name} was read after offset ${after}`;
        const { name: topic, topicPartition } = place;
        const finding = within ? this.backwardsWithin : this.backwards;
        finding.add(1, () => ({ topic, topicPartition, offset, index, says }));
      } else if (last !== undefined && offset > last + 1) {
        this.gaps.push({ place, from: last + 1, to: offset - 1, within, process, index });
      }
      last = offset + count - 1;
      within = true;
    }
    if (last !== undefined) places.set(place, last);
  }
}

/** Of each gap, the records that somebody read there. */
function skipped(ledger: Ledger, gaps: readonly Gap[], within: boolean): Finding {
  const found = new Finding();
  for (const gap of gaps) {
    if (gap.within !== within) continue;
    const { place, index, process } = gap;
    place.index.forEachBetween(gap.from, gap.to, (offset, value) => {
      if (((place.state[value] as number) & SEEN) === 0) return;
      const name = ledger.name(value);
      const says = `reader ${process} passed over ${name} at offset ${offset} of ${place.name}`;
      const { name: topic, topicPartition } = place;
      found.add(1, () => ({ topic, topicPartition, offset, value: name, index, says }));
    });
  }
  return found;
}

/** Later values of a writer stand at lower offsets than earlier ones. */
function sentBackwards(ledger: Ledger): Finding {
  const found = new Finding();
  const { writers } = ledger;
  for (const place of ledger.places) {
    for (let writer = 0; writer < writers; writer++) {
      let last = -1;
      for (let value = writer; value < place.values; value += writers) {
        const offset = place.offsets[value] as number;
        // Where a lost value was said to stand, others stand by now: it has no place in the order.
        if (offset < 0 || ((place.state[value] as number) & SEEN) === 0) continue;
        if (offset <= last) {
          const before = last;
          const name = ledger.name(value);
          const where = `${name} stands at offset ${offset} of ${place.name}`;
          const says = `${where}, a value sent before it at ${before}`;
          const { name: topic, topicPartition } = place;
          found.add(1, () => ({ topic, topicPartition, offset, value: name, says }));
        } else {
          last = offset;
        }
      }
    }
  }
  return found;
}

function follow(polls: Polls, ledger: Ledger, entry: HistoryEntry, place: Place | undefined): void {
  if (entry.type === 'header' || entry.process === 'nemesis') return;
  if (entry.f === 'assign') {
    for (const { topic, topicPartition, offset } of entry.positions) {
      polls.stand(entry.process, ledger.place(topic, topicPartition), offset);
    }
  } else if (entry.f === 'seek') {
    polls.stand(entry.process, ledger.place(entry.topic, entry.topicPartition), entry.to);
  } else if (entry.f === 'poll' && place !== undefined) {
    polls.poll(entry, place);
  }
}

/**
 * Order. Polls: one reader's offsets of a topic-partition go up (nonmonotonicPoll), and nothing that
 * others read there is passed over (pollSkip); `...Within` is the same inside one poll. Sends: a
 * writer's values stand in the order in which they were sent (nonmonotonicSend).
 */
export const order: Checker = {
  name: 'order',
  summary: 'Records are read or written out of order, or passed over.',
  kinds: [
    'nonmonotonicPoll',
    'nonmonotonicPollWithin',
    'pollSkip',
    'pollSkipWithin',
    'nonmonotonicSend',
  ],
  begin({ ledger }) {
    const polls = new Polls();
    return {
      entry(entry, place) {
        follow(polls, ledger, entry, place);
      },
      finish(report) {
        polls.backwards.report(report, 'nonmonotonicPoll');
        polls.backwardsWithin.report(report, 'nonmonotonicPollWithin');
        skipped(ledger, polls.gaps, false).report(report, 'pollSkip');
        skipped(ledger, polls.gaps, true).report(report, 'pollSkipWithin');
        sentBackwards(ledger).report(report, 'nonmonotonicSend');
        sayIncomplete(ledger, report);
      },
    };
  },
};
