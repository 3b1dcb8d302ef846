import { sameJson } from '../../src/core/base/canonical-json.ts';
import type { Act } from '../../src/core/model/act.ts';

/** What a request says of the time a fault may stand: kept apart from the agent's own account. */
export interface Terms {
  owner: string;
  durationMs?: number;
  leaseMs?: number;
  /** Boot clock. */
  leaseEndsMs?: number;
}

/** A fault that has begun to act on a machine, and whose undos have not all been done. */
export interface InForce {
  key: string;
  firedMs: number;
  undos: Act[];
}

/** What stands on one machine, by its acts and undos alone. */
export class Ledger {
  readonly terms = new Map<string, Terms>();
  inForce: InForce[] = [];

  /** An act whose undo is this one is about to be performed. */
  began(key: string, nowMs: number, undo: Act): void {
    let entry = this.inForce.find((each) => each.key === key);
    if (!entry) {
      entry = { key, firedMs: nowMs, undos: [] };
      this.inForce.push(entry);
    }
    if (!entry.undos.some((each) => sameJson(each, undo))) entry.undos.push(undo);
  }

  /** Anything was performed: it may undo what stands. */
  performed(act: Act): void {
    if (this.inForce.length === 0) return;
    for (const entry of this.inForce)
      entry.undos = entry.undos.filter((undo) => !sameJson(undo, act));
    this.inForce = this.inForce.filter((entry) => entry.undos.length > 0);
  }

  /** Boot clock by which it has to be over. */
  dueMs({ key, firedMs }: InForce): number {
    const terms = this.terms.get(key);
    const deadlineMs = terms?.durationMs === undefined ? Infinity : firedMs + terms.durationMs;
    return Math.min(deadlineMs, terms?.leaseEndsMs ?? Infinity);
  }
}
