import type { FaultStatus } from '../../core/model/fault-status.ts';

interface Waiter {
  holds: (fault: FaultStatus) => boolean;
  done: () => void;
}

/** Who waits for a fault to be as they want it. */
export class Waiters {
  readonly #waiters = new Map<string, Set<Waiter>>();

  /** Resolves when a tell() has shown what is waited for (or that the fault is gone), or after the time. */
  async wait(id: string, holds: Waiter['holds'], timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter: Waiter = { holds, done: resolve };
    const waiters = this.#waiters.get(id) ?? new Set();
    this.#waiters.set(id, waiters.add(waiter));
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    waiters.delete(waiter);
    if (waiters.size === 0) this.#waiters.delete(id);
  }

  /** Shows everyone the faults as they are now. */
  tell(faultOf: (id: string) => FaultStatus | undefined): void {
    for (const [id, waiters] of this.#waiters) {
      const fault = faultOf(id);
      for (const waiter of waiters) if (!fault || waiter.holds(fault)) waiter.done();
    }
  }
}
