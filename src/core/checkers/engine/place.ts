import { OffsetIndex } from './offset-index.ts';

/** Bits of what is known of a value. */
export const PENDING = 1;
export const MAYBE = 2;
export const ACKNOWLEDGED = 4;
export const FAILED = 8;
export const SEEN = 16;
export const SEEN_FINALLY = 32;
export const TWICE = 64;

/** The final read of a topic-partition. */
export interface FinalRange {
  from: number;
  to: number;
  complete: boolean;
}

/**
 * All that is known of one topic-partition: columns by value number (one byte of state, the first
 * offset known) and an index by offset. 13 bytes a record and the pages.
 */
export class Place {
  readonly topic: number;
  readonly topicPartition: number;
  readonly name: string;
  /** 1 + the highest value number that was ever invoked. */
  values = 0;
  state = new Uint8Array(1024);
  /** First offset known of each value, -1: none. */
  offsets = new Float64Array(1024).fill(-1);
  readonly index = new OffsetIndex();
  /** Highest offset at which a poll saw a value. */
  highestSeen = -1;
  /** Below this the log had let go of everything, as some reader found. */
  logStart = 0;
  final: FinalRange | undefined;

  constructor(topic: number, topicPartition: number, name: string) {
    this.topic = topic;
    this.topicPartition = topicPartition;
    this.name = name;
  }

  /** Makes room for values up to and including this number. */
  reach(value: number): void {
    if (value < this.values) return;
    this.values = value + 1;
    if (value < this.state.length) return;
    const size = Math.max(value + 1, Math.ceil(this.state.length * 1.5));
    const state = new Uint8Array(size);
    state.set(this.state);
    this.state = state;
    const offsets = new Float64Array(size);
    offsets.set(this.offsets);
    offsets.fill(-1, this.offsets.length);
    this.offsets = offsets;
  }
}

/** Some attempt of it was begun: of all others in the columns nothing but their number is known. */
export function wasSent(state: number): boolean {
  return (state & (ACKNOWLEDGED | MAYBE | PENDING | FAILED)) !== 0;
}

/** Acknowledged at least once. */
export function wasAcknowledged(state: number): boolean {
  return (state & ACKNOWLEDGED) !== 0;
}

/** Every attempt was definitely refused. */
export function hasFailed(state: number): boolean {
  return (state & (ACKNOWLEDGED | MAYBE | PENDING | FAILED)) === FAILED;
}
