import { setTimeout as sleep } from 'node:timers/promises';
import { DiskHits, type HitNote } from '../../core/disk/hits.ts';
import type { AgentState } from '../../core/agent/state.ts';
import { reachableMounts } from '../fuse/mounts.ts';
import { CONTROL_DIRECTORY } from '../fuse/control-path.ts';
import { removeDeadSockets } from '../fuse/dead-sockets.ts';
import { askDisk, isGone } from '../fuse/control-client.ts';
import type { DiskEvent } from '../fuse/events.ts';
import { unmountLeftover } from '../fuse/supervise.ts';
import { bootMs } from '../clock.ts';

/** How often mounts are looked for that were made since. */
const SCAN_MS = 5_000;
/** How long one question for events may wait; it ends at once when the process does. */
const WAIT_MS = 30_000;
const ANSWER_MS = WAIT_MS + 10_000;
/** Hits come by the thousand: they are fetched a few times a second. */
const PAUSE_MS = 250;
const SUMMARY_MS = 1_000;
const KNOWN = 1_000;

export interface DiskWatchPorts {
  state: () => AgentState;
  onHit: (fault: { id: string; kind: string }, note: HitNote) => void;
  /** The process of a mount has ended. `detached`: it left its mount, which is gone now. */
  onEnd: (mountPoint: string, detached: boolean) => void;
  /** Something that is tried again. */
  onTrouble: (error: unknown, mountPoint: string) => void;
}

/**
 * Listens to every file system of ours on this machine: forwards what it hits, and learns of its
 * process's death by the end of the connection. Its mount is detached then, so that nobody waits for it.
 */
export class DiskWatch {
  readonly #ports: DiskWatchPorts;
  readonly #watched = new Set<string>();
  readonly #hits = new DiskHits();
  /** Faults by token, of those that this agent has armed. */
  readonly #faults = new Map<string, { id: string; kind: string }>();
  #timer: NodeJS.Timeout | undefined;
  /** Aborted by close(): a question that waits would keep the process. */
  readonly #closed = new AbortController();

  constructor(ports: DiskWatchPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#timer = setInterval(() => this.#scan(), SCAN_MS);
    this.#timer.unref();
    this.#scan();
    removeDeadSockets().catch((error: unknown) => this.#ports.onTrouble(error, CONTROL_DIRECTORY));
  }

  close(): void {
    this.#closed.abort();
    clearInterval(this.#timer);
  }

  #scan(): void {
    for (const mountPoint of this.#mounts()) {
      if (this.#watched.has(mountPoint)) continue;
      this.#watched.add(mountPoint);
      this.#watch(mountPoint)
        .catch((error: unknown) => this.#ports.onTrouble(error, mountPoint))
        .finally(() => this.#watched.delete(mountPoint));
    }
  }

  #mounts(): string[] {
    try {
      return reachableMounts();
    } catch (error) {
      // No descriptor left, most likely: the next look may have one.
      this.#ports.onTrouble(error, 'the mounts of this machine');
      return [];
    }
  }

  async #watch(mountPoint: string): Promise<void> {
    const { signal } = this.#closed;
    let after = 0;
    let waitMs = WAIT_MS;
    let hasAnswered = false;
    while (!signal.aborted) {
      try {
        const route = `/v1/disk/events?after=${after}&waitMs=${waitMs}`;
        const said = await askDisk(mountPoint, 'GET', route, undefined, ANSWER_MS, signal);
        const { events, hits } = said as { events: DiskEvent[]; hits: Record<string, number> };
        hasAnswered = true;
        after = events.at(-1)?.number ?? after;
        waitMs = this.#tell(events, hits) ? SUMMARY_MS : WAIT_MS;
        if (events.length > 0) await sleep(PAUSE_MS, undefined, { ref: false });
      } catch (error) {
        if (signal.aborted) return;
        // One that never answered may listen where we can't see it, in another container: let it be.
        if (isGone(error)) return hasAnswered ? this.#ended(mountPoint) : undefined;
        // A connection that broke: the next one is refused where the process has ended.
        const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
        if (code === 'ECONNRESET') continue;
        this.#ports.onTrouble(error, mountPoint);
        await sleep(PAUSE_MS, undefined, { ref: false });
      }
    }
  }

  async #ended(mountPoint: string): Promise<void> {
    this.#ports.onEnd(mountPoint, await unmountLeftover(mountPoint));
  }

  /** @returns whether hits are left to be told of soon. */
  #tell(events: readonly DiskEvent[], now: Record<string, number>): boolean {
    const isOurs = (token: string): boolean => this.#faults.has(token);
    const hits = new Map(Object.entries(now).filter(([token]) => isOurs(token)));
    const ended = new Set<string>();
    for (const event of events) {
      if (event.type !== 'ended' || !isOurs(event.fault)) continue;
      ended.add(event.fault);
      hits.set(event.fault, event.hits);
    }
    const shown = events.filter((event) => event.type === 'hit');
    const ours = shown.map((hit) => ({ ...hit, faults: hit.faults.filter(isOurs) }));
    const { notes, isMore } = this.#hits.take(ours, hits, ended, bootMs());
    for (const note of notes) {
      const fault = this.#faults.get(note.token);
      if (fault) this.#ports.onHit(fault, note);
    }
    return isMore;
  }

  /**
   * Which faults stand, from the agent's state. Called whenever one changes: all of a short one may fall
   * into a pause, and of what has ended the state keeps no token.
   */
  learn(): void {
    for (const { plan, id, kind, recovered } of this.#ports.state().faults.values())
      if (plan && !recovered) this.#faults.set(plan.here.token, { id, kind });
    for (const oldest of this.#faults.keys())
      if (this.#faults.size > KNOWN) this.#faults.delete(oldest);
  }
}
