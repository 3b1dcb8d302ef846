import type { Act } from '../../core/model/act.ts';
import type { Capability, Probe } from '../../core/model/fault.ts';
import type { AnswerTo, Query } from '../../core/model/query.ts';

/**
 * The only hands: everything Faultline does to a machine goes through here. Two implementations
 * pass the same suite: real-linux.ts, and test/support/fake-linux.ts for exhaustive crash tests.
 */
export interface Linux {
  /**
   * Performs one act and reads it back. Idempotent.
   * @throws Failure; `definite` where it certainly did not happen.
   */
  perform(act: Act): Promise<void>;
  /** Whether what the act makes is there (a table, a stopped process, burners). */
  holds(act: Act): Promise<boolean>;
  /** Answers a read-only question. @throws Failure */
  ask<Q extends Query>(query: Q): Promise<AnswerTo<Q>>;
  /** Sends each probe packet once, best effort: a refused or dropped one is the point. */
  probe(probes: readonly Probe[]): Promise<void>;
  /** Tries every need, in a throwaway namespace where trying would touch something. */
  needs(): Promise<Capability[]>;
  /** Everything on this machine that carries our mark: for doctor and heal --offline. */
  leftovers(): Promise<Leftover[]>;
}

/** Something of ours, and the act that removes it. */
export interface Leftover {
  says: string;
  /** The fault it belongs to, where its mark names one. */
  faultId?: string;
  remove: Act;
}
