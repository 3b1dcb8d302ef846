import type { ArmRecord, JournalEntry, Progress } from '../../src/core/agent/journal-record.ts';
import {
  GROW_SLOTS,
  JournalSlots,
  SLOT_BYTES,
  type SlotWrite,
} from '../../src/core/agent/journal-slots.ts';
import type { Subject } from './mutations.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

const EMPTY = '\0'.repeat(SLOT_BYTES);

/** The journal's file, slot by slot: what the page cache holds, and what a power cut would leave. */
export class Disk {
  cached: string[] = [];
  synced: string[] = [];
  #dirty = new Set<number>();

  write({ offset, text }: SlotWrite, torn: boolean): void {
    const place = offset / SLOT_BYTES;
    const before = this.cached[place] ?? EMPTY;
    const half = SLOT_BYTES / 2;
    this.cached[place] = torn ? text.slice(0, half) + before.slice(half) : text;
    this.#dirty.add(place);
  }

  grow(slots: number): void {
    for (let count = 0; count < slots; count++) this.cached.push(EMPTY);
    this.sync();
  }

  sync(): void {
    this.synced = [...this.cached];
    this.#dirty.clear();
  }

  /** Of what was written and not synced, some is there and some is not. */
  powerCut(world: World): void {
    for (const place of this.#dirty)
      if (world.random.below(2) === 0) this.cached[place] = this.synced[place] ?? EMPTY;
    this.sync();
  }

  /** What survives whatever happens now. */
  durable(): JournalEntry[] {
    return new JournalSlots().read(this.synced.join(''));
  }
}

interface Operation {
  begin: () => { writes: SlotWrite[]; sync: boolean } | undefined;
  end: () => void;
}

/** The journal of host/journal.ts in virtual time: its writes take place one after the other. */
export class SimJournal {
  readonly entries: JournalEntry[];
  readonly #world: World;
  readonly #process: Process;
  readonly #disk: Disk;
  readonly #slots: JournalSlots;
  readonly #subject: Subject;
  #queue: Operation[] = [];
  #isBusy = false;
  /** The write that a death would tear. */
  #next: SlotWrite | undefined;

  constructor(world: World, process: Process, disk: Disk, subject: Subject) {
    this.#subject = subject;
    this.#world = world;
    this.#process = process;
    this.#disk = disk;
    this.#slots = new JournalSlots(Math.floor(world.nowMs / 10));
    this.entries = this.#slots.read(disk.cached.join(''));
  }

  arm(arm: ArmRecord, progress: Progress, done: (serial: number | undefined) => void): void {
    let serial: number | undefined;
    const begin = (): ReturnType<Operation['begin']> => {
      if (this.#world.random.below(150) === 0) return undefined;
      const lacking = this.#slots.lacking(arm);
      if (lacking > 0) {
        const more = Math.ceil(lacking / GROW_SLOTS) * GROW_SLOTS;
        this.#disk.grow(more);
        this.#slots.grown(more);
      }
      const made = this.#slots.arm(arm, progress);
      serial = made.serial;
      return { writes: made.writes, sync: true };
    };
    this.#enqueue({ begin, end: () => done(serial) });
  }

  progress(record: number, progress: Progress): void {
    const begin = () => ({ writes: this.#slots.progress(record, progress), sync: false });
    this.#enqueue({ begin, end: () => undefined });
  }

  forget(record: number): void {
    const begin = () => ({ writes: this.#slots.forget(record), sync: false });
    this.#enqueue({ begin, end: () => undefined });
  }

  /** The process dies: the write under way may be there in part. */
  tear(): void {
    if (this.#next && this.#world.random.below(2) === 0) this.#disk.write(this.#next, true);
  }

  #enqueue(operation: Operation): void {
    this.#queue.push(operation);
    this.#pump();
  }

  #pump(): void {
    if (this.#isBusy) return;
    const operation = this.#queue.shift();
    if (!operation) return;
    this.#isBusy = true;
    const end = (): void => {
      this.#isBusy = false;
      operation.end();
      this.#pump();
    };
    this.#process.after(this.#world.drawMs(0, 0.5), () => {
      const begun = operation.begin();
      if (!begun) return end();
      this.#writeAll(begun.writes, () => {
        if (!begun.sync) return end();
        this.#process.after(this.#world.drawMs(0, 4), () => {
          if (!this.#subject.skipsSync) this.#disk.sync();
          end();
        });
      });
    });
  }

  #writeAll(writes: readonly SlotWrite[], done: () => void): void {
    const [first, ...rest] = writes;
    this.#next = first;
    if (!first) return done();
    this.#process.after(this.#world.drawMs(0, 0.2), () => {
      this.#disk.write(first, false);
      this.#writeAll(rest, done);
    });
  }
}
