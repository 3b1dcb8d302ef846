/**
 * Values. Every record of the `log` workload is unique within its topic-partition: `writer` (which
 * producer) and `sequence` (0, 1, 2, ... of that writer in that topic-partition). Value number =
 * sequence x writers + writer, so the writer of a value is arithmetic and tables of values are dense.
 */
export interface ValueRange {
  topic: number;
  topicPartition: number;
  writer: number;
  /** Sequence of the first record; the others follow it one by one. */
  first: number;
  count: number;
}

export function writerOf(value: number, writers: number): number {
  return value % writers;
}

export function sequenceOf(value: number, writers: number): number {
  return Math.floor(value / writers);
}

/** A value as people see it. */
export function valueName(value: number, writers: number): string {
  return `${writerOf(value, writers)}/${sequenceOf(value, writers)}`;
}

/**
 * Consecutive offsets holding consecutive sequences of one writer:
 * [offset of the first, writer, sequence of the first, how many].
 */
export type Run = readonly [offset: number, writer: number, first: number, count: number];

/** A record that no producer of this run can have written as it stands. */
export interface StrangeRecord {
  offset: number;
  /** foreign (another run's), damaged (its own checksum fails), unreadable, misplaced. */
  why: 'foreign' | 'damaged' | 'unreadable' | 'misplaced';
  /** First bytes, hexadecimal. */
  bytes: string;
}

/**
 * A batch whose CRC-32C (KIP-98 record batch, bytes from the attributes on) is not that of its bytes,
 * or that cannot be read.
 */
export interface CorruptBatch {
  offset: number;
  expected: number;
  actual: number;
  /** Why it is no batch of records, where it is none; both sums may be 0 then. */
  damage?: string;
}

/** What one fetch response brought of one topic-partition. */
export interface Polled {
  topic: number;
  topicPartition: number;
  /** Offset that was asked for. */
  from: number;
  /** Position after it. */
  next: number;
  /** High watermark the leader showed. */
  end: number;
  runs: Run[];
  strange?: StrangeRecord[];
  corrupt?: CorruptBatch[];
}
