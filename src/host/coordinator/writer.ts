import type { MachineEffect } from '../../core/coordinator/machine-types.ts';
import type { FaultRecord } from '../../core/coordinator/record.ts';
import type { Event } from '../../core/model/fault-status.ts';
import type { CoordinatorLogger } from './options.ts';
import type { Store } from './store.ts';

const FLUSH_MS = 100;
const RETRY_MS = 1_000;
/** As many events are kept for a disk that cannot be written. */
const EVENTS_UNSAVED_MAX = 1_000;

/** Brings the machine's records to the store: what must be durable at once, the rest soon. */
export class Writer {
  readonly #store: Store;
  readonly #logger: CoordinatorLogger;
  readonly #unsaved = new Map<string, FaultRecord>();
  #unsavedEvents: Event[] = [];
  #flush: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(store: Store, logger: CoordinatorLogger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** A record that is newer than the one in the store. */
  unsaved(id: string): FaultRecord | undefined {
    return this.#unsaved.get(id);
  }

  /**
   * Writes what a step wants durable before anything else happens.
   * @returns whether it is; what could not be written is tried again.
   * @throws Failure where a new fault could not be written.
   */
  writeFirst(effects: readonly MachineEffect[], isCreation: boolean): boolean {
    const records = effects.flatMap((each) =>
      each.effect === 'save' && each.durable ? [each.record] : [],
    );
    const halted = effects.findLast((each) => each.effect === 'halted')?.halted;
    if (records.length === 0 && halted === undefined) return true;
    try {
      this.#store.transaction(() => {
        for (const record of records) this.#store.putFault(record);
        if (halted !== undefined) this.#store.putSetting('halted', String(halted));
      });
      for (const record of records) this.#unsaved.delete(record.id);
      return true;
    } catch (error) {
      if (isCreation) throw error;
      this.#logger.error({ err: error }, 'the state could not be written; tried again');
      for (const record of records) this.saveSoon(record);
      return false;
    }
  }

  saveSoon(record: FaultRecord): void {
    this.#unsaved.set(record.id, record);
    this.#flushSoon(FLUSH_MS);
  }

  saveEventSoon(event: Event): void {
    this.#unsavedEvents.push(event);
    this.#flushSoon(FLUSH_MS);
  }

  /** Writes what is left, now. */
  close(): void {
    this.#isClosed = true;
    this.#writeUnsaved();
    clearTimeout(this.#flush);
  }

  #flushSoon(afterMs: number): void {
    // What a closing link still says is told again by the agents at the next start.
    if (this.#isClosed) return;
    this.#flush ??= setTimeout(() => {
      this.#flush = undefined;
      this.#writeUnsaved();
    }, afterMs);
  }

  #writeUnsaved(): void {
    if (this.#unsaved.size === 0 && this.#unsavedEvents.length === 0) return;
    try {
      this.#store.transaction(() => {
        for (const record of this.#unsaved.values()) this.#store.putFault(record);
        this.#store.putEvents(this.#unsavedEvents);
      });
      this.#unsaved.clear();
      this.#unsavedEvents = [];
    } catch (error) {
      // A full disk, most likely: what is in force goes on, and this is tried again.
      this.#logger.error({ err: error }, 'the state could not be written; tried again');
      this.#unsavedEvents = this.#unsavedEvents.slice(-EVENTS_UNSAVED_MAX);
      this.#flushSoon(RETRY_MS);
    }
  }
}
