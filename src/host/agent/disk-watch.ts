import { setTimeout as sleep } from 'node:timers/promises';
import { DiskHits, type HitNote } from '../../core/disk/hits.ts';
import { reasonOf } from '../../core/base/failure.ts';
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
/** What failed is tried again twice as late each time, up to here. */
const LONGEST_PAUSE_MS = SCAN_MS;
const THE_MOUNTS = 'the mounts of this machine';
const KNOWN = 1_000;

export interface DiskWatchPorts {
  state: () => AgentState;
  onHit: (fault: { id: string; kind: string }, note: HitNote) => void;
  /** The process of a mount has ended. `detached`: it left its mount, which is gone now. */
  onEnd: (mountPoint: string, detached: boolean) => void;
  /** Something that is tried again; told when it is another than the last time. */
  onTrouble: (error: unknown, mountPoint: string) => void;
}

/** How file systems of ours are found and asked. */
interface DiskAccess {
  mounts: () => string[];
  ask: typeof askDisk;
  unmountLeftover: typeof unmountLeftover;
}

const REAL: DiskAccess = { mounts: reachableMounts, ask: askDisk, unmountLeftover };

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
  /** By place, what was told of it last. */
  readonly #troubles = new Map<string, string>();
  readonly #access: DiskAccess;
  #timer: NodeJS.Timeout | undefined;
  /** Aborted by close(): a question that waits would keep the process. */
  readonly #closed = new AbortController();

  constructor(ports: DiskWatchPorts, access = REAL) {
    this.#ports = ports;
    this.#access = access;
  }

  start(): void {
    this.#timer = setInterval(() => this.#scan(), SCAN_MS);
    this.#timer.unref();
    this.#scan();
    removeDeadSockets().catch((error: unknown) => this.#trouble(error, CONTROL_DIRECTORY));
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
        .catch((error: unknown) => this.#trouble(error, mountPoint))
        .finally(() => this.#watched.delete(mountPoint));
    }
  }

  #mounts(): string[] {
    try {
      const mounts = this.#access.mounts();
      this.#troubles.delete(THE_MOUNTS);
      return mounts;
    } catch (error) {
      // No descriptor left, most likely: the next look may have one.
      this.#trouble(error, THE_MOUNTS);
      return [];
    }
  }

  #trouble(error: unknown, place: string): void {
    const reason = reasonOf(error);
    if (this.#troubles.get(place) === reason) return;
    this.#troubles.set(place, reason);
    this.#ports.onTrouble(error, place);
  }

  async #watch(mountPoint: string): Promise<void> {
    const { signal } = this.#closed;
    let after = 0;
    let waitMs = WAIT_MS;
    let hasAnswered = false;
    let hasBroken = false;
    let pauseMs = PAUSE_MS;
    while (!signal.aborted) {
      try {
        const route = `/v1/disk/events?after=${after}&waitMs=${waitMs}`;
        const said = await this.#access.ask(mountPoint, 'GET', route, undefined, ANSWER_MS, signal);
        const { events, hits } = said as { events: DiskEvent[]; hits: Record<string, number> };
        hasAnswered = true;
        hasBroken = false;
        pauseMs = PAUSE_MS;
        this.#troubles.delete(mountPoint);
        after = events.at(-1)?.number ?? after;
        waitMs = this.#tell(events, hits) ? SUMMARY_MS : WAIT_MS;
        if (events.length > 0) await sleep(PAUSE_MS, undefined, { ref: false });
      } catch (error) {
        if (signal.aborted) return;
        // One that never answered may listen where we can't see it, in another container: let it be.
        if (isGone(error)) return hasAnswered ? this.#ended(mountPoint) : undefined;
        // A connection that broke: the next one is refused at once where the process has ended.
        const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
        if (code === 'ECONNRESET' && !hasBroken) {
          hasBroken = true;
          continue;
        }
        this.#trouble(error, mountPoint);
        await sleep(pauseMs, undefined, { ref: false });
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
    }
  }

  async #ended(mountPoint: string): Promise<void> {
    let pauseMs = PAUSE_MS;
    while (!this.#closed.signal.aborted) {
      let detached: boolean;
      try {
        detached = await this.#access.unmountLeftover(mountPoint);
      } catch (error) {
        // Whoever looks again later knows no more that it has answered, and would let it be.
        this.#trouble(error, mountPoint);
        await sleep(pauseMs, undefined, { ref: false });
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        continue;
      }
      this.#troubles.delete(mountPoint);
      return this.#ports.onEnd(mountPoint, detached);
    }
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
