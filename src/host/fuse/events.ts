import type { EndedBy } from '../../core/disk/standing.ts';

/** One request that was hit. */
interface Hit {
  type: 'hit';
  faults: string[];
  operation: string;
  path: string;
  /** 0: no error. */
  errno: number;
}

/** A fault that stands no more. */
interface Ended {
  type: 'ended';
  fault: string;
  endedBy: EndedBy;
  hits: number;
}

/** `number` counts from 1 without a gap, but for those that are kept no more. */
export type DiskEvent = (Hit | Ended) & { number: number; at: string };

const KEPT = 1000;

/** What happened on a mount, the last thousand events; for people, receipts, and whoever forwards them. */
export class DiskEvents {
  readonly #events: DiskEvent[] = [];
  #last = 0;
  readonly #waiting = new Set<() => void>();

  get last(): number {
    return this.#last;
  }

  add(event: Hit | Ended): void {
    const at = new Date().toISOString();
    this.#events.push({ number: ++this.#last, at, ...event });
    if (this.#events.length > KEPT) this.#events.shift();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** The events after a number. Where there is none yet, waits for one, at most `waitMs`. */
  async after(number: number, waitMs: number): Promise<DiskEvent[]> {
    if (this.#last <= number && waitMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, waitMs);
        const waiting = this.#waiting;
        function wake(): void {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        }
        waiting.add(wake);
      });
    }
    return this.#events.filter((event) => event.number > number);
  }
}
