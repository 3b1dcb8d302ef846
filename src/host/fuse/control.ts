import { inForce } from '../../core/disk/rule.ts';
import { canonicalJson, sameJson } from '../../core/base/canonical-json.ts';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { describeProblem } from '../../core/base/problem.ts';
import { OUT_HEADER_BYTES } from '../../core/codec/fuse/constants.ts';
import { printReplyHeader } from '../../core/codec/fuse.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import { parseKibosh } from '../../core/disk/kibosh.ts';
import { addressOf, libc } from './libc.ts';
import { compileRules, touchesMetadata } from '../../core/disk/rule.ts';
import { NOTHING, type DiskSpecification, type Fault } from '../../core/disk/specification.ts';
import { Engine } from './engine.ts';
import type { FileSystem } from './file-system.ts';
import { LANES } from './file-system.ts';
import type { Published } from './judge.ts';
import { MAX_RULES, RULES_BYTES, WORD } from './memory.ts';
import type { Report } from './messages.ts';
import { loseUnsynced, startOver, type LostFile } from './tracking.ts';

const PER_RULE = 2;
const WIDE_PER_RULE = 3;
/** How long the kernel may take to let go of what it has cached. */
const IN_FORCE_WITHIN_MS = 30_000;
const EVENTS_KEPT = 1000;

export interface FaultState {
  id: string;
  kind: string;
  /** In force now (not before its delay or after its duration). */
  active: boolean;
  matched: number;
  hits: number;
}

export interface DiskState {
  target: string;
  mountPoint: string;
  specification: DiskSpecification;
  faults: FaultState[];
  /** Requests held now, and the events that were not kept. */
  held: number;
  eventsDropped: number;
  inodes: number;
}

/** One hit, for people and receipts. */
export interface HitEvent {
  at: string;
  faults: string[];
  operation: string;
  path: string;
  errno: number;
}

interface Armed {
  fault: Fault;
  place: number;
  /** Milliseconds of the monotonic clock. */
  setAt: number;
}

/** Switches faults of one mount on and off; a change is answered when it is in force, and not before. */
export class Control {
  readonly #fileSystem: FileSystem;
  readonly #engine: Engine;
  #specification: DiskSpecification = NOTHING;
  #armed: Armed[] = [];
  #published: Published = { specification: NOTHING, places: [] };
  #timer: NodeJS.Timeout | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  readonly events: HitEvent[] = [];
  #names = new Map<number, string>();
  #onReport: ((report: Report) => void) | undefined;

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
    this.#engine = new Engine(fileSystem.memory, fileSystem.engineOptions);
    fileSystem.onReport = (report) => this.#report(report);
  }

  #report(report: Report): void {
    if (report.type === 'control') {
      void this.#takeText(report.text).then((errno) => {
        const bytes = Buffer.alloc(4096);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        printReplyHeader(view, report.unique, errno, OUT_HEADER_BYTES);
        libc.write(report.device, addressOf(bytes), OUT_HEADER_BYTES);
      });
      return;
    }
    if (report.type !== 'hit') {
      this.#onReport?.(report);
      return;
    }
    this.events.push({
      at: new Date().toISOString(),
      faults: report.places.map((place) => this.#names.get(place) ?? ''),
      operation: report.operation,
      path: report.path,
      errno: report.errno,
    });
    if (this.events.length > EVENTS_KEPT) this.events.shift();
  }

  /** What was written to the control file. @returns 0, or the errno that close(2) gets. */
  async #takeText(text: string): Promise<number> {
    const seed = this.#fileSystem.options.seed ?? 0;
    const checked = parseKibosh(text, seed);
    if (!checked.ok) {
      for (const problem of checked.problems) {
        process.stderr.write(`kibosh_control: refused: ${describeProblem(problem)}\n`);
      }
      return ERRNO.EINVAL;
    }
    try {
      await this.set(checked.value);
      this.#fileSystem.setControlText(text);
      return 0;
    } catch (error) {
      process.stderr.write(`kibosh_control: ${reasonOf(error)}\n`);
      return ERRNO.EIO;
    }
  }

  /** One change after the other. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(change);
    // Whoever asked hears of the failure; the next change does not wait for it.
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Replaces the specification; a fault that stays word for word keeps its counters. @throws Failure */
  set(specification: DiskSpecification): Promise<void> {
    return this.#inTurn(async () => {
      const text = canonicalJson({ specification, places: specification.faults.map(() => 999) });
      if (Buffer.byteLength(text) > RULES_BYTES) {
        throw new Failure('specification-too-large', 'the specification is larger than 1 MiB', {
          definite: true,
        });
      }
      const sameSeed = (this.#specification.seed ?? 0) === (specification.seed ?? 0);
      const kept = new Map(sameSeed ? this.#armed.map((one) => [one.fault.id, one]) : []);
      const used = new Set(this.#armed.map((one) => one.place));
      const now = performance.now();
      const armed: Armed[] = [];
      for (const fault of specification.faults) {
        const before = kept.get(fault.id);
        if (before !== undefined && sameJson(before.fault, fault)) armed.push(before);
        else armed.push({ fault, place: this.#freePlace(used), setAt: now });
      }
      this.#specification = specification;
      this.#armed = armed;
      await this.#publish();
    });
  }

  #freePlace(used: Set<number>): number {
    const { counters, wide } = this.#fileSystem.memory;
    let place = 0;
    while (used.has(place)) place++;
    if (place >= MAX_RULES) {
      throw new Failure('too-many-faults', 'replacing so many faults at once: clear first', {
        definite: true,
      });
    }
    used.add(place);
    counters.fill(0, place * PER_RULE, (place + 1) * PER_RULE);
    wide.fill(0n, place * WIDE_PER_RULE, (place + 1) * WIDE_PER_RULE);
    return place;
  }

  #isActive(armed: Armed, now: number): boolean {
    const { fromMs, toMs } = inForce(armed.fault.when);
    return now - armed.setAt >= fromMs && now - armed.setAt < toMs;
  }

  /** Makes exactly the faults in force now apply, and looks again when that changes. */
  async #publish(): Promise<void> {
    const now = performance.now();
    const active = this.#armed.filter((one) => this.#isActive(one, now));
    const before = this.#published;
    const after: Published = {
      specification: { ...this.#specification, faults: active.map((one) => one.fault) },
      places: active.map((one) => one.place),
    };
    this.#names = new Map(this.#armed.map((one) => [one.place, one.fault.id]));
    this.#prepareTracking(before.specification, after.specification);
    const epoch = this.#store(after);
    const places = before.places.filter((place) => !after.places.includes(place));
    this.#published = after;
    await this.#answered('healed', LANES, () => {
      this.#fileSystem.tellLanes({ type: 'healed', places, epoch });
    });
    await this.#answered('swept', 1, () => {
      this.#fileSystem.tellNotifier({ type: 'sweep', before, after });
    });
    this.#schedule(now);
  }

  #store(published: Published): number {
    const { words, rules } = this.#fileSystem.memory;
    const bytes = Buffer.from(JSON.stringify(published));
    rules.set(bytes);
    Atomics.store(words, WORD.rulesLength, bytes.length);
    const compiled = compileRules(published.specification, published.places);
    Atomics.store(words, WORD.metadataFaults, compiled.some(touchesMetadata) ? 1 : 0);
    const epoch = Atomics.add(words, WORD.epoch, 1) + 1;
    Atomics.store(words, WORD.active, compiled.length > 0 ? 1 : 0);
    return epoch;
  }

  /** Stale reads and failing fsyncs need to know what is unsynced, from when they begin. */
  #prepareTracking(before: DiskSpecification, after: DiskSpecification): void {
    const { words } = this.#fileSystem.memory;
    const wants = needsTracking(after);
    const hadStale = before.faults.some((one) => one.fault.kind === 'stale');
    const hasStale = after.faults.some((one) => one.fault.kind === 'stale');
    const isNew = Atomics.load(words, WORD.tracking) === 0 || (hasStale && !hadStale);
    if (wants && isNew) startOver(this.#engine);
    Atomics.store(words, WORD.tracking, wants ? 1 : 0);
    if (!wants && needsTracking(before)) startOver(this.#engine);
  }

  #answered(type: Report['type'], count: number, ask: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let missing = count;
      const timer = setTimeout(() => {
        this.#onReport = undefined;
        const message = `the kernel has not let go of cached pages within ${IN_FORCE_WITHIN_MS} ms`;
        reject(new Failure('not-in-force', message, { definite: false }));
      }, IN_FORCE_WITHIN_MS);
      this.#onReport = (report) => {
        if (report.type !== type || --missing > 0) return;
        clearTimeout(timer);
        this.#onReport = undefined;
        resolve();
      };
      ask();
    });
  }

  #schedule(now: number): void {
    clearTimeout(this.#timer);
    let next = Infinity;
    for (const { fault, setAt } of this.#armed) {
      const { fromMs, toMs } = inForce(fault.when);
      for (const at of [setAt + fromMs, setAt + toMs]) if (at > now) next = Math.min(next, at);
    }
    if (next === Infinity) return;
    const waitMs = Math.min(Math.max(0, next - performance.now()) + 1, 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      this.#inTurn(() => this.#publish()).catch((error: unknown) => {
        process.stderr.write(`faultline mount: ${String(error)}\n`);
      });
    }, waitMs);
  }

  clear(): Promise<void> {
    return this.set(NOTHING);
  }

  /**
   * Loses what was not fsynced since tracking began. The programs that use the mount must be dead.
   * @throws Failure where nothing is tracked.
   */
  powerCut(loss: 'all' | 'subset' | 'torn' | 'reordered', seed: number): Promise<LostFile[]> {
    return this.#inTurn(async () => {
      if (Atomics.load(this.#fileSystem.memory.words, WORD.tracking) === 0) {
        const message = "nothing is known of unsynced data: set 'trackUnsynced' first";
        throw new Failure('not-tracking', message, { definite: true });
      }
      const lost = loseUnsynced(this.#engine, loss, seed);
      const everything: Published = {
        specification: {
          version: 1,
          faults: [{ id: 'powercut', match: { op: ['all'] }, fault: { kind: 'gone' } }],
        },
        places: [0],
      };
      await this.#answered('swept', 1, () => {
        this.#fileSystem.tellNotifier({ type: 'sweep', before: everything, after: everything });
      });
      return lost;
    });
  }

  state(): DiskState {
    const { counters, words } = this.#fileSystem.memory;
    const now = performance.now();
    return {
      target: this.#fileSystem.options.target,
      mountPoint: this.#fileSystem.options.mountPoint,
      specification: this.#specification,
      faults: this.#armed.map((one) => ({
        id: one.fault.id,
        kind: one.fault.fault.kind,
        active: this.#isActive(one, now),
        matched: Atomics.load(counters, one.place * PER_RULE),
        hits: Atomics.load(counters, one.place * PER_RULE + 1),
      })),
      held: Atomics.load(words, WORD.held),
      eventsDropped: Atomics.load(words, WORD.dropped),
      inodes: Atomics.load(words, WORD.liveNodes),
    };
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function needsTracking(specification: DiskSpecification): boolean {
  return (
    specification.trackUnsynced === true ||
    specification.faults.some(
      ({ fault }) => fault.kind === 'stale' || (fault.kind === 'fsync' && fault.how === 'fails'),
    )
  );
}
