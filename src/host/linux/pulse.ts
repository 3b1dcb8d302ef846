import type { ProcessRef } from '../../core/model/process-match.ts';
import { sendSignal, signalAll } from './processes.ts';

interface Pulse {
  timer: NodeJS.Timeout;
}

/** Stalls that come and go: SIGSTOP and SIGCONT by this process's own timers. */
export class Pulses {
  readonly #running = new Map<string, Pulse>();

  /** The first stall begins before this resolves. */
  async start(
    token: string,
    processes: readonly ProcessRef[],
    onMs: number,
    offMs: number,
  ): Promise<void> {
    if (this.#running.has(token)) return;
    await signalAll(processes, 'SIGSTOP');
    const next = (stopped: boolean): void => {
      const timer = setTimeout(
        () => {
          let left = false;
          try {
            for (const ref of processes) {
              left = sendSignal(ref, stopped ? 'SIGCONT' : 'SIGSTOP') || left;
            }
          } catch {
            // A signal that is refused now was allowed at the start: nothing to keep pulsing.
            left = false;
          }
          if (left) next(!stopped);
          else this.#running.delete(token);
        },
        stopped ? onMs : offMs,
      );
      this.#running.set(token, { timer });
    };
    next(true);
  }

  /** Ends the stalls and lets the processes go on, also those that another process has stalled. */
  async stop(token: string, processes: readonly ProcessRef[]): Promise<void> {
    clearTimeout(this.#running.get(token)?.timer);
    this.#running.delete(token);
    await signalAll(processes, 'SIGCONT');
  }

  runs(token: string): boolean {
    return this.#running.has(token);
  }
}
