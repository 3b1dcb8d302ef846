/**
 * What the checkers say of a history. `valid`: nothing wrong was found, and enough was seen to say
 * so; `invalid`: at least one check that must hold does not; `unknown`: nobody can tell (nothing was
 * acknowledged, the final read is not complete, a checker failed).
 */
export type VerdictWord = 'valid' | 'invalid' | 'unknown';

/** Exit codes of `faultline run`, `run demo` and `check`. */
export const EXIT_CODES: Readonly<Record<VerdictWord, number>> = {
  valid: 0,
  invalid: 1,
  unknown: 2,
};

/** One piece of evidence; only the fields that the kind of anomaly has are there. */
export interface AnomalyExample {
  topic?: string;
  topicPartition?: number;
  offset?: number;
  /** Value as `writer/sequence` (see history.ts). */
  value?: string;
  /** The other value or offset where two are in conflict. */
  other?: string;
  /** Index of the entry of the history that shows it. */
  index?: number;
  /** Monotonic nanoseconds of that entry. */
  timeNs?: number;
  /** One sentence for people. */
  says: string;
}

export interface Anomaly {
  /** lostWrite, unseen, duplicate, ... : the names are in core/checkers. */
  kind: string;
  /** Checker that found it. */
  checker: string;
  /** Records (or windows, or batches) concerned; examples are the first few of them. */
  count: number;
  examples: AnomalyExample[];
  /** False: reported, but the scenario's checks leave this checker out. */
  counts: boolean;
}

export interface CheckOutcome {
  verdict: VerdictWord;
  /** Why it is unknown. */
  reason?: string;
}

/** A stretch of time without success while there was something to do. */
export interface UnavailabilityWindow {
  kind: 'send' | 'poll';
  topic: string;
  topicPartition: number;
  fromNs: number;
  toNs: number;
  /** The history ended before success came back. */
  open: boolean;
  /** Ids of the faults in force at some moment of the window. */
  faults: string[];
}

export interface Availability {
  /** Shortest stretch that is reported. */
  thresholdMs: number;
  /** The longest windows, at most 200, by time. */
  windows: UnavailabilityWindow[];
  /** How many there were in all. */
  count: number;
  longestSendMs: number;
  longestPollMs: number;
  /** Windows during which no fault was in force. */
  withoutFault: number;
}

/** Liveness after the last fault ended. */
export interface Recovery {
  /** Monotonic nanoseconds; absent where the history holds no fault. */
  healedNs?: number;
  /** From healing to the first acknowledged send begun after it, the slowest topic-partition. */
  sendMs?: number;
  /** From healing to the first record read after it, the slowest topic-partition. */
  pollMs?: number;
  /** Topic-partitions that never came back, as `topic-n`. */
  never: string[];
}

/** Numbers of records, not of requests. */
export interface Counts {
  offered: number;
  acknowledged: number;
  /** Certainly not written: every attempt was definitely refused. */
  failed: number;
  /** Nobody knows. */
  unknown: number;
  /** Different values read at least once. */
  read: number;
  /** Of the unknown ones, how many were read, so that they did happen. */
  unknownButRead: number;
  /** Rows delivered by polls, the same value counted each time. */
  polledRows: number;
  sends: number;
  polls: number;
}

export interface Verdict {
  verdict: VerdictWord;
  /** Sentences that say why, for an invalid or unknown one. */
  reasons: string[];
  anomalies: Anomaly[];
  /** By checker name. */
  checks: Record<string, CheckOutcome>;
  counts: Counts;
  availability: Availability;
  recovery: Recovery;
}

/** The counts of a history nobody has read. */
export const NO_COUNTS: Counts = {
  offered: 0,
  acknowledged: 0,
  failed: 0,
  unknown: 0,
  read: 0,
  unknownButRead: 0,
  polledRows: 0,
  sends: 0,
  polls: 0,
};
