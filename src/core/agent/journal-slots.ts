import { assert } from '../base/assert.ts';
import { crc32 } from './crc32.ts';
import type { ArmRecord, JournalEntry, Progress } from './journal-record.ts';

/*
 * The journal is a file of slots of equal size, written in place, so that nothing but arming ever
 * needs space on the disk. A slot describes itself:
 *
 *   'FLJ1 ' type ' ' serial(12) ' ' index(4) '/' count(4) ' ' length(4) ' ' crc32(8 hex) '\n' payload
 *
 * type A: part `index` of `count` of an arm record (JSON, ASCII). type P: progress; a record has two
 * such slots, written in turn, `index` counts the writes, so that a torn one leaves the other. The
 * checksum covers everything but itself. A record is there when all its A slots are; anything else,
 * torn or zeroed, is a free slot.
 */
export const SLOT_BYTES = 1024;
const HEADER_BYTES = 44;
const PAYLOAD_BYTES = SLOT_BYTES - HEADER_BYTES;
/** Slots added at a time: 64 KiB. */
export const GROW_SLOTS = 64;
/** 16 MiB: far more than the tombstones a node may hold. */
export const SLOTS_MAX = 16_384;

/** Bytes (as code units below 256) to write at an offset of the file. */
export interface SlotWrite {
  offset: number;
  text: string;
}

interface Held {
  serial: number;
  arm: ArmRecord;
  armSlots: number[];
  progressSlots: [number, number];
  progress: Progress;
  writes: number;
}

interface Slot {
  type: 'A' | 'P';
  serial: number;
  index: number;
  count: number;
  payload: string;
}

/** JSON of ASCII alone: one code unit is one byte. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function encodeSlot(slot: Slot): string {
  const number = (value: number, width: number): string => String(value).padStart(width, '0');
  const head =
    `FLJ1 ${slot.type} ${number(slot.serial, 12)} ${number(slot.index % 10_000, 4)}/` +
    `${number(slot.count, 4)} ${number(slot.payload.length, 4)} `;
  const crc = crc32(head + slot.payload)
    .toString(16)
    .padStart(8, '0');
  const text = `${head}${crc}\n${slot.payload}`;
  assert(text.length <= SLOT_BYTES, 'a slot overflows');
  return text.padEnd(SLOT_BYTES, '\0');
}

const HEAD = /^FLJ1 ([AP]) (\d{12}) (\d{4})\/(\d{4}) (\d{4}) ([0-9a-f]{8})\n/;

function decodeSlot(text: string): Slot | undefined {
  const match = HEAD.exec(text);
  if (!match) return undefined;
  const head = text.slice(0, HEADER_BYTES - 9);
  const payload = text.slice(HEADER_BYTES, HEADER_BYTES + Number(match[5]));
  if (crc32(head + payload) !== Number.parseInt(match[6] ?? '', 16)) return undefined;
  return {
    type: match[1] as 'A' | 'P',
    serial: Number(match[2]),
    index: Number(match[3]),
    count: Number(match[4]),
    payload,
  };
}

/** What a progress slot holds: keeps what is not needed short, so that it fits whatever an error says. */
function progressPayload(writes: number, progress: Progress): string {
  const cut = (text: string | undefined): string | undefined => text?.slice(0, 60);
  const short = { says: cut(progress.says), error: cut(progress.error) };
  const shorter = { during: undefined, after: undefined };
  const none = { says: undefined, error: undefined };
  let payload = '';
  for (const less of [{}, short, { ...short, ...shorter }, { ...none, ...shorter }]) {
    payload = asciiJson({ writes, ...progress, ...less });
    if (payload.length <= PAYLOAD_BYTES) break;
  }
  return payload;
}

/**
 * What stands where in the journal's file. Decides what to write; writing is the host's. Call
 * `read` with the file's text first, then perform every write in order.
 */
export class JournalSlots {
  readonly #held = new Map<number, Held>();
  readonly #free: number[] = [];
  #slots = 0;
  #nextSerial: number;

  /**
   * @param firstSerial greater than any used before (the wall clock will do): a slot whose freeing was
   * lost in a power cut must never look like a part of a newer record.
   */
  constructor(firstSerial = 1) {
    this.#nextSerial = firstSerial;
  }

  /** Slots the file has room for. */
  get slots(): number {
    return this.#slots;
  }

  /** @param text the whole file, one code unit a byte. @returns what it holds, oldest first. */
  read(text: string): JournalEntry[] {
    this.#slots = Math.floor(text.length / SLOT_BYTES);
    const bySerial = new Map<number, { slot: Slot; place: number }[]>();
    for (let place = 0; place < this.#slots; place++) {
      const slot = decodeSlot(text.slice(place * SLOT_BYTES, (place + 1) * SLOT_BYTES));
      if (!slot) continue;
      this.#nextSerial = Math.max(this.#nextSerial, slot.serial + 1);
      const list = bySerial.get(slot.serial) ?? [];
      bySerial.set(slot.serial, [...list, { slot, place }]);
    }
    for (const [serial, parts] of bySerial) {
      const held = assemble(serial, parts);
      if (held) this.#held.set(serial, held);
    }
    const used = new Set<number>();
    for (const held of this.#held.values()) {
      this.#completeProgress(held, used);
      for (const place of [...held.armSlots, ...held.progressSlots]) used.add(place);
    }
    for (let place = this.#slots - 1; place >= 0; place--)
      if (!used.has(place)) this.#free.push(place);
    return [...this.#held.values()]
      .sort((left, right) => left.serial - right.serial)
      .map(({ serial, arm, progress }) => ({ serial, arm, progress }));
  }

  /** A record whose progress slots were both torn gets its state from the arm record alone. */
  #completeProgress(held: Held, used: Set<number>): void {
    const taken = new Set([...this.#held.values()].flatMap((other) => other.armSlots));
    for (const other of this.#held.values())
      for (const place of other.progressSlots) if (place >= 0) taken.add(place);
    for (const index of [0, 1] as const) {
      if (held.progressSlots[index] >= 0) continue;
      let place = 0;
      while (place < this.#slots && (taken.has(place) || used.has(place))) place++;
      // No room for progress: it is not needed for healing, so it is simply not written.
      held.progressSlots[index] = place < this.#slots ? place : -1;
      taken.add(place);
    }
  }

  /** Slots that arming this record would lack: the file must grow by them first. */
  lacking(arm: ArmRecord): number {
    const needed = Math.ceil(asciiJson(arm).length / PAYLOAD_BYTES) + 2;
    return Math.max(0, needed - this.#free.length);
  }

  /** The file has become longer (zeroed, and on disk). */
  grown(slots: number): void {
    for (let place = this.#slots + slots - 1; place >= this.#slots; place--) this.#free.push(place);
    this.#slots += slots;
  }

  /** @returns the record's serial and the writes that must be on disk before the first act. */
  arm(arm: ArmRecord, progress: Progress): { serial: number; writes: SlotWrite[] } {
    assert(this.lacking(arm) === 0, 'the journal must grow first');
    const serial = this.#nextSerial++;
    const json = asciiJson(arm);
    const count = Math.ceil(json.length / PAYLOAD_BYTES);
    const armSlots = Array.from({ length: count }, () => this.#take());
    const held: Held = {
      serial,
      arm,
      armSlots,
      progressSlots: [this.#take(), this.#take()],
      progress,
      writes: 0,
    };
    this.#held.set(serial, held);
    const writes = armSlots.map((place, index) => ({
      offset: place * SLOT_BYTES,
      text: encodeSlot({
        type: 'A',
        serial,
        index,
        count,
        payload: json.slice(index * PAYLOAD_BYTES, (index + 1) * PAYLOAD_BYTES),
      }),
    }));
    return { serial, writes: [...writes, ...this.progress(serial, progress)] };
  }

  /** Writes that record how a fault goes on. Nothing for a record that is gone. */
  progress(serial: number, progress: Progress): SlotWrite[] {
    const held = this.#held.get(serial);
    if (!held) return [];
    held.progress = progress;
    held.writes += 1;
    const place = held.progressSlots[held.writes % 2 === 0 ? 0 : 1];
    if (place < 0) return [];
    const payload = progressPayload(held.writes, progress);
    const slot: Slot = { type: 'P', serial, index: held.writes, count: 0, payload };
    return [{ offset: place * SLOT_BYTES, text: encodeSlot(slot) }];
  }

  /** Writes that free a record's slots: the first one alone makes it no record any more. */
  forget(serial: number): SlotWrite[] {
    const held = this.#held.get(serial);
    if (!held) return [];
    this.#held.delete(serial);
    const places = [...held.armSlots, ...held.progressSlots].filter((place) => place >= 0);
    this.#free.push(...places);
    return places.map((place) => ({ offset: place * SLOT_BYTES, text: '\0'.repeat(SLOT_BYTES) }));
  }

  #take(): number {
    const place = this.#free.pop();
    assert(place !== undefined, 'the journal has no free slot');
    return place;
  }
}

function assemble(serial: number, parts: { slot: Slot; place: number }[]): Held | undefined {
  const arms = parts.filter((part) => part.slot.type === 'A');
  const count = arms[0]?.slot.count ?? 0;
  const byIndex = new Map(arms.map((part) => [part.slot.index, part]));
  if (count === 0 || byIndex.size !== count) return undefined;
  const ordered = Array.from({ length: count }, (_, index) => byIndex.get(index));
  const json = ordered.map((part) => part?.slot.payload ?? '').join('');
  let held: Held;
  try {
    held = {
      serial,
      arm: JSON.parse(json) as ArmRecord,
      armSlots: ordered.map((part) => part?.place ?? 0),
      progressSlots: [-1, -1],
      progress: { state: 'armed' },
      writes: 0,
    };
  } catch {
    // Every slot has its checksum, so this is a mix of two records: no record.
    return undefined;
  }
  for (const part of parts.filter((each) => each.slot.type === 'P')) {
    const { writes, ...progress } = JSON.parse(part.slot.payload) as Progress & { writes: number };
    held.progressSlots[writes % 2 === 0 ? 0 : 1] = part.place;
    if (writes > held.writes) [held.progress, held.writes] = [progress, writes];
  }
  return held;
}
