import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Failure, reasonOf } from '../core/base/failure.ts';
import type { ArmRecord, JournalEntry, Progress } from '../core/agent/journal-record.ts';
import {
  GROW_SLOTS,
  JournalSlots,
  SLOT_BYTES,
  SLOTS_MAX,
  type SlotWrite,
} from '../core/agent/journal-slots.ts';

/** A file that is written in place. One code unit of the texts is one byte. */
export interface JournalFile {
  read(): Promise<string>;
  write(offset: number, text: string): Promise<void>;
  /** Everything written so far is on the disk: fdatasync(2). */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
}

/** What the agent's driver needs of a journal. */
export interface Journal {
  /** @returns the serial, once the record is on disk. @throws Failure (definite): nothing is. */
  arm(arm: ArmRecord, progress: Progress): Promise<number>;
  /** Overwrites in place, when the disk allows it. Healing never waits for it. */
  progress(record: number, progress: Progress): void;
  forget(record: number): void;
  /** Resolves when everything asked for so far has been written. */
  idle(): Promise<void>;
}

/** The journal of core/agent/journal-slots.ts on a file; writes happen in the order asked for. */
export class SlotJournal implements Journal {
  readonly #file: JournalFile;
  readonly #slots: JournalSlots;
  readonly #onError: (error: unknown) => void;
  #queue: Promise<void> = Promise.resolve();

  private constructor(file: JournalFile, slots: JournalSlots, onError: (error: unknown) => void) {
    this.#file = file;
    this.#slots = slots;
    this.#onError = onError;
  }

  /** Reads what is there. @param onError told of progress that could not be written. */
  static async open(
    file: JournalFile,
    onError: (error: unknown) => void,
    firstSerial = 1,
  ): Promise<{ journal: SlotJournal; entries: JournalEntry[] }> {
    const slots = new JournalSlots(firstSerial);
    const entries = slots.read(await file.read());
    return { journal: new SlotJournal(file, slots, onError), entries };
  }

  arm(arm: ArmRecord, progress: Progress): Promise<number> {
    return this.#enqueue(async () => {
      await this.#makeRoom(arm);
      const { serial, writes } = this.#slots.arm(arm, progress);
      try {
        await this.#writeAll(writes);
        await this.#file.sync();
        return serial;
      } catch (error) {
        // Nothing was done yet: a record that may be there in part is taken back.
        await this.#writeAll(this.#slots.forget(serial)).catch(this.#onError);
        throw refused(error);
      }
    });
  }

  progress(record: number, progress: Progress): void {
    void this.#enqueue(() => this.#writeAll(this.#slots.progress(record, progress))).catch(
      this.#onError,
    );
  }

  forget(record: number): void {
    void this.#enqueue(() => this.#writeAll(this.#slots.forget(record))).catch(this.#onError);
  }

  async idle(): Promise<void> {
    await this.#enqueue(() => this.#file.sync()).catch(this.#onError);
  }

  /** Space is claimed (written with zeros, and synced) before a record needs it. */
  async #makeRoom(arm: ArmRecord): Promise<void> {
    const lacking = this.#slots.lacking(arm);
    if (lacking === 0) return;
    const more = Math.ceil(lacking / GROW_SLOTS) * GROW_SLOTS;
    const before = this.#slots.slots * SLOT_BYTES;
    if (this.#slots.slots + more > SLOTS_MAX)
      throw new Failure('journal-full', `the journal is full (${before} bytes)`, {
        definite: true,
      });
    try {
      await this.#file.write(before, '\0'.repeat(more * SLOT_BYTES));
      await this.#file.sync();
    } catch (error) {
      await this.#file.truncate(before).catch(this.#onError);
      throw refused(error);
    }
    this.#slots.grown(more);
  }

  async #writeAll(writes: readonly SlotWrite[]): Promise<void> {
    for (const { offset, text } of writes) await this.#file.write(offset, text);
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(task);
    this.#queue = result.then(
      () => undefined,
      // Whoever asked is told; the next task does not care.
      () => undefined,
    );
    return result;
  }
}

function refused(error: unknown): Failure {
  return new Failure(
    'journal',
    `the journal can't be written, so nothing was done: ${reasonOf(error)}`,
    {
      definite: true,
      cause: error,
    },
  );
}

/** The journal's file on a real disk. @throws Failure 'journal' */
export async function openJournalFile(
  path: string,
): Promise<JournalFile & { close(): Promise<void> }> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    throw new Failure('journal', `cannot open the journal ${path}: ${reasonOf(error)}`, {
      definite: true,
      cause: error,
    });
  }
  return {
    read: async () => (await handle.readFile()).toString('latin1'),
    async write(offset, text) {
      const bytes = Buffer.from(text, 'latin1');
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await handle.write(
          bytes,
          done,
          bytes.length - done,
          offset + done,
        );
        done += bytesWritten;
      }
    },
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  };
}
