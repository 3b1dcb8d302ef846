import { Finding, type Checker, type Report } from './engine/checker.ts';
import type { Ledger } from './engine/ledger.ts';
import { SEEN, SEEN_FINALLY, wasAcknowledged, type Place } from './engine/place.ts';

interface Findings {
  lostWrite: Finding;
  unseen: Finding;
  vanished: Finding;
  truncated: Finding;
}

function example(ledger: Ledger, place: Place, value: number, says: string) {
  const offset = place.offsets[value] as number;
  const name = ledger.name(value);
  const { topicPartition } = place;
  return {
    topic: place.name,
    topicPartition,
    offset,
    value: name,
    says: `${name}, ${offset < 0 ? 'offset not told' : `offset ${offset}`} of ${place.name}, ${says}`,
  };
}

/** One pass over the values of a topic-partition. */
function judge(ledger: Ledger, place: Place, found: Findings): void {
  const { final, highestSeen } = place;
  for (let value = 0; value < place.values; value++) {
    const state = place.state[value] as number;
    const offset = place.offsets[value] as number;
    if ((state & SEEN) === 0) {
      if (!wasAcknowledged(state)) continue;
      // What the log had already let go (retention) when the final read began is nobody's loss.
      if (final !== undefined && offset >= 0 && offset < final.from) continue;
      if (offset >= 0 && offset <= highestSeen) {
        const says = `acknowledged, never read, though offset ${highestSeen} was`;
        found.lostWrite.add(1, () => example(ledger, place, value, says));
      } else if (final?.complete === true) {
        const says = `acknowledged, never read; the log ended at ${final.to}`;
        found.unseen.add(1, () => example(ledger, place, value, says));
      }
    } else if ((state & SEEN_FINALLY) === 0 && final?.complete === true && offset >= final.from) {
      const says = 'read once, and not there any more at the end';
      found.vanished.add(1, () => example(ledger, place, value, says));
    }
  }
}

function sayIncomplete(ledger: Ledger, report: Report): void {
  const missing = ledger.places.filter(({ final }) => final?.complete !== true);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const shown = names.slice(0, 6).join(', ') + (names.length > 6 ? ', ...' : '');
  report.unknown(`no complete final read of ${shown}: records may be missing unseen`);
}

/**
 * Acknowledged records that are gone.
 * lostWrite: acknowledged at an offset below one that was read, and never read itself (or known to
 * have been acknowledged below what was read); unseen: acknowledged, beyond all that was read, and
 * absent from a complete final read; vanished: read once, absent from a complete final read;
 * truncated: a reader's position lay beyond the end of the log.
 */
export const loss: Checker = {
  name: 'loss',
  summary: 'Acknowledged or already read records are gone.',
  kinds: ['lostWrite', 'unseen', 'vanished', 'truncated'],
  begin({ ledger }) {
    const found: Findings = {
      lostWrite: new Finding(),
      unseen: new Finding(),
      vanished: new Finding(),
      truncated: new Finding(),
    };
    return {
      entry(entry) {
        if (entry.type === 'header' || entry.f !== 'seek' || entry.to >= entry.from) return;
        const { topic, topicPartition, from, to, index, timeNs } = entry;
        const { name } = ledger.place(topic, topicPartition);
        const says = `${name} ended at ${to} after ${from - 1} had been read`;
        found.truncated.add(from - to, () => ({
          topic: name,
          topicPartition,
          offset: to,
          index,
          timeNs,
          says,
        }));
      },
      finish(report) {
        for (const place of ledger.places) judge(ledger, place, found);
        for (const [kind, finding] of Object.entries(found)) {
          (finding as Finding).report(report, kind);
        }
        sayIncomplete(ledger, report);
      },
    };
  },
};
