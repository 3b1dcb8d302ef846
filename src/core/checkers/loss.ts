import { Finding, type Checker } from './engine/checker.ts';
import type { Ledger } from './engine/ledger.ts';
import { SEEN, SEEN_FINALLY, wasAcknowledged, type Place } from './engine/place.ts';
import { sayIncomplete } from './engine/say-incomplete.ts';

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

/** Whether the log begins beyond some record that it had held. */
function hasLetGo({ logStart, offsets, values }: Place): boolean {
  for (let value = 0; value < values; value++) {
    const offset = offsets[value] as number;
    if (offset >= 0 && offset < logStart) return true;
  }
  return false;
}

/**
 * One pass over the values of a topic-partition.
 * @returns how many acknowledged records the log had let go before anybody read them: by retention or
 * not, nobody can tell.
 */
function judge(ledger: Ledger, place: Place, found: Findings): number {
  const { final, highestSeen, logStart } = place;
  const letGo = hasLetGo(place);
  let gone = 0;
  for (let value = 0; value < place.values; value++) {
    const state = place.state[value] as number;
    const offset = place.offsets[value] as number;
    if ((state & SEEN) === 0) {
      if (!wasAcknowledged(state)) continue;
      // One whose offset was not told may be among those that the log has let go.
      if (letGo && offset < logStart) {
        gone++;
        continue;
      }
      if (offset >= 0 && offset <= highestSeen) {
        const says = `acknowledged, never read, though offset ${highestSeen} was`;
        found.lostWrite.add(1, () => example(ledger, place, value, says));
      } else if (final?.complete === true) {
        const says = `acknowledged, never read; the log ended at ${final.to}`;
        found.unseen.add(1, () => example(ledger, place, value, says));
      }
    } else if ((state & SEEN_FINALLY) === 0 && final?.complete === true && offset >= logStart) {
      const says = 'read once, and not there any more at the end';
      found.vanished.add(1, () => example(ledger, place, value, says));
    }
  }
  return gone;
}

/**
 * Acknowledged records that are gone.
 * lostWrite: acknowledged at an offset below one that was read, and never read itself (or known to
 * have been acknowledged below what was read); unseen: acknowledged, beyond all that was read, and
 * absent from a complete final read; vanished: read once, absent from a complete final read;
 * truncated: a reader's position lay beyond the end of the log. What lies below the log's start, as
 * readers found it, is none of these: read before, it is well; never read, it makes the verdict unknown.
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
        let gone = 0;
        for (const place of ledger.places) gone += judge(ledger, place, found);
        for (const [kind, finding] of Object.entries(found)) {
          (finding as Finding).report(report, kind);
        }
        sayIncomplete(ledger, report);
        if (gone > 0) {
          const says =
            'acknowledged records lay below the start of the log before anybody read them';
          report.unknown(`${gone} ${says}: retention, or loss`);
        }
      },
    };
  },
};
