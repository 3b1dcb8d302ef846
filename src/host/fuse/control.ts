import { Failure } from '../../core/base/failure.ts';
import type { Problem } from '../../core/base/problem.ts';
import { OUT_HEADER_BYTES } from '../../core/codec/fuse/constants.ts';
import { printReplyHeader } from '../../core/codec/fuse.ts';
import type { NameModel } from '../../core/disk/names.ts';
import { compileRules, type Published } from '../../core/disk/rule.ts';
import type { SingleFault, Terms } from '../../core/disk/single.ts';
import {
  isInForce,
  SPECIFICATION,
  StandingFaults,
  type EndedBy,
  type Standing,
} from '../../core/disk/standing.ts';
import { NOTHING, type DiskSpecification } from '../../core/disk/specification.ts';
import type { Loss } from '../../core/disk/unsynced.ts';
import { boottimeMs } from '../linux/libc.ts';
import { takeText } from './control-text.ts';
import { Engine } from './engine.ts';
import type { DiskState, FaultState } from './disk-state.ts';
import { DiskEvents } from './events.ts';
import { exampleOf } from './example.ts';
import type { FileSystem } from './file-system.ts';
import { addressOf, libc } from './libc.ts';
import { MAX_RULES, WORD } from './memory.ts';
import type { Report } from './messages.ts';
import { Publisher, type InForce } from './publisher.ts';
import { loseUnsynced, type Lost } from './power-cut.ts';

const PER_RULE = 2;
const WIDE_PER_RULE = 3;
const ENDED_KEPT = 200;
/** Timers stand still while the machine is suspended; faults' terms don't. */
const LOOK_AGAIN_MS = 5000;

/** Refused for what the document says: nothing changed. */
export class Refusal extends Error {
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super('refused');
    this.problems = problems;
  }
}

/** Switches faults of one mount on and off; a change is answered when it is in force, and not before. */
export class Control {
  readonly #fileSystem: FileSystem;
  readonly #engine: Engine;
  readonly #publisher: Publisher;
  readonly #standing = new StandingFaults(MAX_RULES);
  #specification: DiskSpecification = NOTHING;
  #places = new Map<number, Standing>();
  readonly #ended = new Map<string, FaultState>();
  #timer: NodeJS.Timeout | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  readonly events = new DiskEvents();

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
    this.#engine = new Engine(fileSystem.memory, fileSystem.engineOptions);
    this.#publisher = new Publisher(fileSystem, this.#engine);
    fileSystem.onReport = (report) => this.#report(report);
  }

  #report(report: Report): void {
    if (report.type === 'control') {
      void takeText(this, this.#fileSystem, report.text).then((errno) => {
        const bytes = Buffer.alloc(4096);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        printReplyHeader(view, report.unique, errno, OUT_HEADER_BYTES);
        libc.write(report.device, addressOf(bytes), OUT_HEADER_BYTES);
      });
    } else if (report.type === 'hit') {
      const { places, operation, path, errno } = report;
      const faults = places.map((place) => this.#places.get(place)?.id ?? '');
      this.events.add({ type: 'hit', faults, operation, path, errno });
    } else this.#publisher.take(report);
  }

  /** One change after the other. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(change);
    // Whoever asked hears of the failure; the next change does not wait for it.
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** What holds from the mount on. */
  async start(): Promise<void> {
    await (
      await this.#inTurn(() => this.#publish())
    ).whenSwept;
  }

  /** Replaces the specification, and no fault that was set by itself. @throws Failure, Refusal */
  async set(specification: DiskSpecification): Promise<void> {
    const { whenSwept } = await this.#inTurn(async () => {
      const singles = this.#standing.all().filter((one) => one.owner !== SPECIFICATION);
      Publisher.measure([...specification.faults, ...singles.map((one) => one.fault)]);
      const problems = this.#standing.setSpecification(specification, boottimeMs());
      if (problems.length > 0) throw new Refusal(problems);
      this.#specification = specification;
      return this.#publish();
    });
    await whenSwept;
  }

  /** Sets one fault beside the others; the same once more renews its terms. @throws as `set` */
  async setOne(id: string, single: SingleFault): Promise<FaultState> {
    const { whenSwept } = await this.#inTurn(async () => {
      const others = this.#standing.all().filter((one) => one.id !== id);
      Publisher.measure([...others.map((one) => one.fault), single.fault]);
      const problems = this.#standing.set(id, single, boottimeMs());
      if (problems.length > 0) throw new Refusal(problems);
      this.#ended.delete(id);
      return this.#publish();
    });
    await whenSwept;
    return this.find(id) as FaultState;
  }

  /** @returns undefined where no such fault stands. */
  renew(id: string, terms: Terms): Promise<FaultState | undefined> {
    return this.#inTurn(() => {
      const renewed = this.#standing.renew(id, terms, boottimeMs());
      this.#schedule();
      return Promise.resolve(renewed === undefined ? undefined : this.#stateOf(renewed));
    });
  }

  /** Ends one fault. @returns what it was at its end; undefined where there never was one. */
  async remove(id: string): Promise<FaultState | undefined> {
    const { removed, whenSwept } = await this.#inTurn(async () => {
      const gone = this.#standing.remove(id);
      const isDone = gone === undefined && !this.#publisher.owes;
      return { removed: gone, whenSwept: isDone ? undefined : (await this.#publish()).whenSwept };
    });
    try {
      await whenSwept;
    } finally {
      if (removed !== undefined) this.#noteEnd(removed, 'request');
    }
    return this.#ended.get(id);
  }

  #inForce(specification: DiskSpecification, now: number): Published {
    const standing = this.#standing.all();
    const faults = standing
      .filter((one) => isInForce(one, now))
      .map(({ fault, seed, place }) => ({
        fault: fault as NonNullable<typeof fault>,
        seed,
        place,
      }));
    const tracks = specification.trackUnsynced === true || standing.some((one) => one.tracks);
    return { faults, tracks: tracks || this.#fileSystem.options.trackUnsynced === true };
  }

  /** Makes exactly the faults in force now apply, and looks again when that changes. */
  #publish(): Promise<InForce> {
    const { counters, wide } = this.#fileSystem.memory;
    const before = this.#places;
    this.#places = new Map(this.#standing.all().map((one) => [one.place, one]));
    for (const place of this.#places.keys()) {
      if (before.has(place)) continue;
      counters.fill(0, place * PER_RULE, (place + 1) * PER_RULE);
      wide.fill(0n, place * WIDE_PER_RULE, (place + 1) * WIDE_PER_RULE);
    }
    this.#schedule();
    return this.#publisher.publish(this.#inForce(this.#specification, boottimeMs()));
  }

  /** Where a fault begins or ends by itself: neither agent nor caller is needed for that. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const now = boottimeMs();
    const next = this.#standing.nextChange(now);
    if (next === Infinity) return;
    const waitMs = Math.min(Math.max(0, next - now) + 1, LOOK_AGAIN_MS);
    this.#timer = setTimeout(() => {
      this.#expire(next).catch((error: unknown) => {
        process.stderr.write(`faultline mount: ${String(error)}\n`);
      });
    }, waitMs);
  }

  async #expire(next: number): Promise<void> {
    const { ended, whenSwept } = await this.#inTurn(async () => {
      if (boottimeMs() < next) {
        this.#schedule();
        return { ended: [], whenSwept: undefined };
      }
      const expired = this.#standing.expire(boottimeMs());
      return { ended: expired, ...(await this.#publish()) };
    });
    try {
      await whenSwept;
    } finally {
      for (const { fault, endedBy } of ended) this.#noteEnd(fault, endedBy);
    }
  }

  #noteEnd(fault: Standing, endedBy: EndedBy): void {
    const state = { ...this.#stateOf(fault), active: false, endedBy };
    this.#ended.set(fault.id, state);
    for (const id of this.#ended.keys()) if (this.#ended.size > ENDED_KEPT) this.#ended.delete(id);
    this.events.add({ type: 'ended', fault: fault.id, endedBy, hits: state.hits });
  }

  /** Ends the specification's faults and keeps all others. */
  clear(): Promise<void> {
    return this.set(NOTHING);
  }

  /** Ends every fault, whoever set it: at once, for one may wait for what another holds. */
  async clearAll(): Promise<void> {
    const singles = this.#standing.all().filter(({ owner }) => owner !== SPECIFICATION);
    await Promise.all([this.clear(), ...singles.map(({ id }) => this.remove(id))]);
  }

  /**
   * Loses what was not fsynced since tracking began. The programs that use the mount must be dead.
   * @throws Failure where nothing is tracked.
   */
  async powerCut(given: { loss: Loss; seed: number; names: NameModel }): Promise<Lost> {
    const { lost, whenSwept } = await this.#inTurn(() => {
      if (!this.#isTracking()) {
        const message = "nothing is known of unsynced data: set 'trackUnsynced' first";
        throw new Failure('not-tracking', message, { definite: true });
      }
      const lost = loseUnsynced(this.#engine, given);
      const names = lost.names.flatMap((name) => name.entries);
      return Promise.resolve({ lost, ...this.#publisher.forgetAll(names) });
    });
    await whenSwept;
    return lost;
  }

  #isTracking(): boolean {
    return Atomics.load(this.#fileSystem.memory.words, WORD.tracking) !== 0;
  }

  /** A fault that was set by itself: it stands, or has ended not too long ago. */
  find(id: string): FaultState | undefined {
    const standing = this.#standing.find(id);
    return standing === undefined ? this.#ended.get(id) : this.#stateOf(standing);
  }

  /** A file that a fault takes, by its path from the mount's root. */
  example(id: string): string | undefined {
    const { fault, seed, place } = this.#standing.find(id) ?? {};
    if (fault === undefined || seed === undefined || place === undefined) return undefined;
    const [rule] = compileRules({ faults: [{ fault, seed, place }], tracks: false });
    return rule && exampleOf(`/proc/self/fd/${this.#fileSystem.rootFd}`, rule);
  }

  #stateOf(one: Standing): FaultState {
    const { counters } = this.#fileSystem.memory;
    const now = boottimeMs();
    const left = (at: number): number => Math.max(0, Math.round(at - now));
    return {
      id: one.id,
      kind: one.fault?.fault.kind ?? 'track',
      owner: one.owner,
      active: isInForce(one, now) || one.fault === undefined,
      matched: Atomics.load(counters, one.place * PER_RULE),
      hits: Atomics.load(counters, one.place * PER_RULE + 1),
      ...(one.deadlineAt === Infinity ? {} : { deadlineMs: left(one.deadlineAt) }),
      ...(one.leaseEndsAt === Infinity ? {} : { leaseMs: left(one.leaseEndsAt) }),
    };
  }

  /** How often each fault that stands has hit. */
  hits(): Record<string, number> {
    return Object.fromEntries(this.#standing.all().map((one) => [one.id, this.#stateOf(one).hits]));
  }

  state(): DiskState {
    const { words } = this.#fileSystem.memory;
    return {
      target: this.#fileSystem.options.target,
      mountPoint: this.#fileSystem.options.mountPoint,
      specification: this.#specification,
      faults: this.#standing.all().map((one) => this.#stateOf(one)),
      tracking: this.#isTracking(),
      held: Atomics.load(words, WORD.held),
      eventsDropped: Atomics.load(words, WORD.dropped),
      lastEvent: this.events.last,
      inodes: Atomics.load(words, WORD.liveNodes),
    };
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
