import { assert } from '../../base/assert.ts';
import type {
  FinalReadEntry,
  HistoryEntry,
  HistoryHeader,
  PollEntry,
  SendEnded,
  SendInvoked,
} from '../../model/history.ts';
import { valueName, type ValueRange } from '../../model/operation.ts';
import type { Counts } from '../../model/verdict.ts';
import type { Notices } from './checker.ts';
import * as State from './place.ts';
import { Place } from './place.ts';

/** The tables all checkers share, filled entry by entry, linear in the number of records. */
export class Ledger {
  readonly header: HistoryHeader;
  readonly writers: number;
  readonly places: Place[] = [];
  polledRows = 0;
  sends = 0;
  polls = 0;
  #firstPlace: number[] = [];
  #notices: readonly Notices[];
  #invoked = new Map<number, number>();

  constructor(header: HistoryHeader, notices: readonly Notices[]) {
    this.header = header;
    this.writers = header.writers;
    this.#notices = notices;
    for (const [topic, { name, topicPartitions }] of header.topics.entries()) {
      this.#firstPlace.push(this.places.length);
      for (let number = 0; number < topicPartitions; number++) {
        this.places.push(new Place(topic, number, `${name}-${number}`));
      }
    }
  }

  place(topic: number, topicPartition: number): Place {
    const place = this.places[(this.#firstPlace[topic] ?? -1) + topicPartition];
    assert(
      place?.topicPartition === topicPartition,
      `no topic-partition ${topic}/${topicPartition}`,
    );
    return place;
  }

  /** A value as people see it. */
  name(value: number): string {
    return valueName(value, this.writers);
  }

  /** @returns the monotonic ns at which a send began, where the entry is the end of one; else -1. */
  take(entry: HistoryEntry): number {
    if (entry.type === 'header') return -1;
    if (entry.f === 'send') {
      return entry.type === 'invoke' ? this.#begin(entry) : this.#end(entry);
    }
    if (entry.f === 'poll') this.#poll(entry);
    else if (entry.f === 'finalRead') this.#finalRead(entry);
    else if (entry.f === 'seek' && entry.to > entry.from) {
      const place = this.place(entry.topic, entry.topicPartition);
      place.logStart = Math.max(place.logStart, entry.to);
    }
    return -1;
  }

  #begin(entry: SendInvoked): number {
    const { topic, topicPartition, writer, first, count } = entry.value;
    const place = this.place(topic, topicPartition);
    const { writers } = this;
    place.reach((first + count - 1) * writers + writer);
    const { state } = place;
    let value = first * writers + writer;
    for (let index = 0; index < count; index++, value += writers) {
      const known = state[value] as number;
      // An attempt that never ended may have happened, whatever comes of this one.
      const open = (known & State.PENDING) === 0 ? 0 : State.MAYBE;
      state[value] = known | open | State.PENDING;
    }
    this.#invoked.set(entry.index, entry.timeNs);
    this.sends++;
    return entry.timeNs;
  }

  #end(entry: SendEnded): number {
    const invokedNs = this.#invoked.get(entry.of) ?? -1;
    this.#invoked.delete(entry.of);
    const bit = { ok: State.ACKNOWLEDGED, fail: State.FAILED, info: State.MAYBE }[entry.type];
    this.#mark(entry.value, bit);
    const { offset } = entry;
    if (entry.type === 'ok' && offset !== undefined && offset >= 0) {
      const { topic, topicPartition, writer, first, count } = entry.value;
      const place = this.place(topic, topicPartition);
      this.#putRun(place, offset, first * this.writers + writer, count, 0, entry);
    }
    return invokedNs;
  }

  #mark(range: ValueRange, bit: number): void {
    const { topic, topicPartition, writer, first, count } = range;
    const place = this.place(topic, topicPartition);
    const { writers } = this;
    place.reach((first + count - 1) * writers + writer);
    const { state } = place;
    let value = first * writers + writer;
    for (let index = 0; index < count; index++, value += writers) {
      state[value] = ((state[value] as number) & ~State.PENDING) | bit;
    }
  }

  /** Values one after the other at offsets one after the other; `bits` are set on each. */
  #putRun(
    place: Place,
    offset: number,
    firstValue: number,
    count: number,
    bits: number,
    entry: HistoryEntry,
  ): void {
    const { state, offsets, index, values } = place;
    const { writers } = this;
    let value = firstValue;
    for (let step = 0; step < count; step++, value += writers) {
      const here = offset + step;
      if (value >= values || !State.wasSent(state[value] as number)) {
        const sequence = Math.floor(value / writers);
        for (const notice of this.#notices) {
          notice.unsent?.(place, value % writers, sequence, here, entry);
        }
        continue;
      }
      const there = index.put(here, value);
      if (there !== value) {
        for (const notice of this.#notices) notice.conflict?.(place, here, there, value, entry);
      }
      const known = offsets[value] as number;
      if (known < 0) {
        offsets[value] = here;
      } else if (known !== here) {
        for (const notice of this.#notices) notice.second?.(place, value, known, here, entry);
      }
      state[value] = (state[value] as number) | bits;
    }
  }

  #poll(entry: PollEntry): void {
    const { value } = entry;
    if (value === undefined) return;
    this.polls++;
    const place = this.place(value.topic, value.topicPartition);
    const bits = entry.final === true ? State.SEEN | State.SEEN_FINALLY : State.SEEN;
    for (const [offset, writer, first, count] of value.runs) {
      this.polledRows += count;
      const last = offset + count - 1;
      if (writer >= this.writers) {
        for (const notice of this.#notices) notice.unsent?.(place, writer, first, offset, entry);
        continue;
      }
      this.#putRun(place, offset, first * this.writers + writer, count, bits, entry);
      if (last > place.highestSeen) place.highestSeen = last;
    }
  }

  #finalRead(entry: FinalReadEntry): void {
    const { from, to, type } = entry;
    const place = this.place(entry.topic, entry.topicPartition);
    place.final = { from, to, complete: type === 'ok' };
    place.logStart = Math.max(place.logStart, from);
  }

  counts(): Counts {
    const counts: Counts = {
      offered: 0,
      acknowledged: 0,
      failed: 0,
      unknown: 0,
      read: 0,
      unknownButRead: 0,
      polledRows: this.polledRows,
      sends: this.sends,
      polls: this.polls,
    };
    for (const place of this.places) {
      for (let value = 0; value < place.values; value++) {
        const state = place.state[value] as number;
        if (state === 0) continue;
        counts.offered++;
        if ((state & State.SEEN) !== 0) counts.read++;
        if (State.wasAcknowledged(state)) counts.acknowledged++;
        else if (State.hasFailed(state)) counts.failed++;
        else {
          counts.unknown++;
          if ((state & State.SEEN) !== 0) counts.unknownButRead++;
        }
      }
    }
    return counts;
  }
}
