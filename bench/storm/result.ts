import type { TestNode } from '../../test/support/netns.ts';
import type { Drawn } from './plan.ts';

export interface LaneSetting {
  seed: string;
  draw: Drawn;
  /** Where state directories and logs are. */
  directory: string;
  /** The coordinator lives on the last. */
  nodes: TestNode[];
}

/** How a node came back to its baseline. */
export interface Healing {
  node: string;
  /** Who was there to heal; 'restart': nobody, until the agent was started again. */
  by: 'agent' | 'guard' | 'restart';
  /** From the last blow, or from the agent's start, ms. */
  healedMs: number;
  limitMs: number;
  isLate: boolean;
  /** What was left when we stopped waiting. */
  differences: string[];
}

export interface RoundResult {
  round: number;
  isExpiry: boolean;
  /** Faults that were known to be in force. */
  inForce: number;
  healings: Healing[];
  /** With both dead: when the last packet was dropped, at the latest, ms after their death. */
  expiredMs?: number;
  violations: string[];
  evidence?: string;
}

export interface Spread {
  count: number;
  p50: number;
  p99: number;
  max: number;
}

/** undefined where there is no figure at all. */
export function spreadOf(figures: readonly number[]): Spread | undefined {
  const sorted = figures.map(Math.round).sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  if (sorted.length === 0) return undefined;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
