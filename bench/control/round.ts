/** One create and heal of a network partition, ms from the request unless said otherwise. */
export interface Round {
  /** Until the last acting node's last rule was in the kernel; absent with protocol stubs. */
  lastRuleMs?: number;
  /** Between the first and the last node's (last) rule or order. */
  skewMs?: number;
  /** The same as the agents told it, where they tell it. */
  reportedSkewMs?: number;
  /** Until a client could know that it is in force on every node. */
  knownMs: number;
  /** From the request to heal until a client could know that it is gone. */
  healKnownMs: number;
  /** From the request to heal until the last rule was gone. */
  lastRemovedMs?: number;
}

export interface Rival {
  name: string;
  /** Creates, waits until known in force, heals, waits until known healed. */
  round(index: number): Promise<Round>;
  /** |estimated - true| offset of every agent's clock, ms; absent where none is estimated or known. */
  clockErrors?(): Promise<number[]>;
  close(): Promise<void>;
}

/** The middle of a list of figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** The figure a share of the list lies under. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
