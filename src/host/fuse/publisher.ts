import { Failure } from '../../core/base/failure.ts';
import { compileRules, touchesMetadata, type Published } from '../../core/disk/rule.ts';
import type { Engine } from './engine.ts';
import { LANES, type FileSystem } from './file-system.ts';
import type { Fault } from '../../core/disk/specification.ts';
import { MAX_RULES, RULES_BYTES, WORD } from './memory.ts';
import type { Report, Sweep } from './messages.ts';
import { writePublished } from './published.ts';
import { startOver } from './undo-log.ts';

/** How long the kernel may take to let go of what it has cached. */
const IN_FORCE_WITHIN_MS = 30_000;

const HELD_BY_READS =
  'the kernel has not let go of cached pages; reads of such a file may be held by another fault';
const HELD_BY_THREADS = 'a thread of the file system is held, as by a disk below it that hangs';

const NOTHING: Published = { faults: [], tracks: false };
const EVERYTHING: Published = {
  faults: [
    {
      fault: { id: 'everything', match: { op: ['all'] }, fault: { kind: 'gone' } },
      seed: 0,
      place: 0,
    },
  ],
  tracks: false,
};

/** Faults that apply to all that is asked from now on. */
export interface InForce {
  /** When they apply to what the kernel had cached, too. */
  whenSwept: Promise<void>;
}

/** Tells all threads of a mount which faults are in force, and waits until they are. */
export class Publisher {
  readonly #fileSystem: FileSystem;
  readonly #engine: Engine;
  #published = NOTHING;
  /** Number of the last sweep that was asked for, that was done, and that somebody gave up waiting for. */
  #sweeps = 0;
  #swept = 0;
  #owed = 0;
  readonly #waiting = new Set<(report: Report) => void>();

  constructor(fileSystem: FileSystem, engine: Engine) {
    this.#fileSystem = fileSystem;
    this.#engine = engine;
  }

  take(report: Report): void {
    // One after the other: those before it are done, too.
    if (report.type === 'swept') this.#swept = Math.max(this.#swept, report.number);
    for (const hear of this.#waiting) hear(report);
  }

  /** Whether these would fit. @throws Failure */
  static measure(faults: readonly (Fault | undefined)[]): void {
    const seed = Number.MAX_SAFE_INTEGER;
    const all = faults.map((fault) => ({ fault, seed, place: MAX_RULES }));
    if (Buffer.byteLength(JSON.stringify({ faults: all, tracks: false })) <= RULES_BYTES) return;
    const message = 'all faults together are larger than 1 MiB';
    throw new Failure('specification-too-large', message, { definite: true });
  }

  /**
   * Makes exactly these faults apply to what is asked from now on, and lets go of what those held that are
   * gone. `whenSwept`: when the kernel has forgotten what it had cached; it rejects with a Failure where
   * either takes too long, and then both are done as soon as they can be. That waits for reads that are
   * held, and so must not hold up who would end that.
   */
  async publish(after: Published): Promise<InForce> {
    const before = this.#published;
    this.#prepareTracking(before, after);
    const epoch = this.#store(after);
    const standing = new Set(after.faults.map((one) => one.place));
    const places = before.faults.map((one) => one.place).filter((place) => !standing.has(place));
    this.#published = after;
    const isOurs = (report: Report): boolean => report.type === 'healed' && report.epoch === epoch;
    try {
      await this.#answered(isOurs, LANES, HELD_BY_THREADS, () => {
        this.#fileSystem.tellLanes({ type: 'healed', places, epoch });
      });
    } catch (error) {
      this.forgetAll([]);
      this.#owed = this.#sweeps;
      const refused = Promise.reject<void>(error);
      // Whoever asked hears of it; nobody may have asked.
      refused.catch(() => undefined);
      return { whenSwept: refused };
    }
    return this.owes
      ? this.forgetAll([])
      : this.#sweep(changed(before, after), changed(after, before), []);
  }

  /** The kernel may still have cached what a change was about that was given up: it is being let go. */
  get owes(): boolean {
    return this.#owed > this.#swept;
  }

  /** Nothing the kernel has cached outlives this, these names among it. */
  forgetAll(names: Sweep['names']): InForce {
    return this.#sweep(EVERYTHING, EVERYTHING, names);
  }

  #sweep(before: Published, after: Published, names: Sweep['names']): InForce {
    if (before.faults.length + after.faults.length === 0) return { whenSwept: Promise.resolve() };
    const number = ++this.#sweeps;
    const isOurs = (report: Report): boolean => report.type === 'swept' && report.number === number;
    const swept = this.#answered(isOurs, 1, HELD_BY_READS, () => {
      this.#fileSystem.tellNotifier({ type: 'sweep', number, before, after, names });
    });
    const whenSwept = swept.catch((error: unknown) => {
      // It is done all the same, when the reads that it waits for are over.
      this.#owed = Math.max(this.#owed, number);
      throw error;
    });
    // Whoever asked hears of it; nobody may have asked (a fault that ended by itself).
    whenSwept.catch(() => undefined);
    return { whenSwept };
  }

  #store(published: Published): number {
    const { memory } = this.#fileSystem;
    const { words } = memory;
    const compiled = compileRules(published);
    Atomics.store(words, WORD.metadataFaults, compiled.some(touchesMetadata) ? 1 : 0);
    const epoch = writePublished(memory, published);
    Atomics.store(words, WORD.active, compiled.length > 0 ? 1 : 0);
    return epoch;
  }

  /** Stale reads and failing fsyncs need to know what is unsynced, from when they begin. */
  #prepareTracking(before: Published, after: Published): void {
    const { words } = this.#fileSystem.memory;
    const wants = needsTracking(after);
    const isNew = Atomics.load(words, WORD.tracking) === 0 || (isStale(after) && !isStale(before));
    if (wants && isNew) startOver(this.#engine);
    Atomics.store(words, WORD.tracking, wants ? 1 : 0);
    if (!wants && needsTracking(before)) startOver(this.#engine);
  }

  #answered(
    isOurs: (report: Report) => boolean,
    count: number,
    why: string,
    ask: () => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let missing = count;
      const hear = (report: Report): void => {
        if (!isOurs(report) || --missing > 0) return;
        clearTimeout(timer);
        this.#waiting.delete(hear);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(hear);
        const message =
          `not in force everywhere within ${IN_FORCE_WITHIN_MS} ms: ${why}. ` +
          'The change stands, and applies to new requests: clear the faults, or make it again';
        reject(new Failure('not-in-force', message, { definite: false }));
      }, IN_FORCE_WITHIN_MS);
      this.#waiting.add(hear);
      ask();
    });
  }
}

/** What of `one` is not word for word in the other: the rest needs no look. */
function changed(one: Published, other: Published): Published {
  const places = new Set(other.faults.map((fault) => fault.place));
  return { ...one, faults: one.faults.filter((fault) => !places.has(fault.place)) };
}

function isStale(published: Published): boolean {
  return published.faults.some(({ fault }) => fault.fault.kind === 'stale');
}

function needsTracking(published: Published): boolean {
  const fails = published.faults.some(
    ({ fault }) => fault.fault.kind === 'fsync' && fault.fault.how === 'fails',
  );
  return published.tracks || fails || isStale(published);
}
