import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const PAGE = 4096;
const ENTRY = 8;
/** Pages asked for at once. */
const CHUNK = 8_192;
/** Bit 63 of an entry: it is in memory; bits 0 to 54: in which frame (pagemap of the kernel's documentation). */
const PRESENT = 0x8000_0000;
const HIGH_OF_FRAME = 0x7f_ffff;

/** What processes have in memory together, MB. */
export interface Memory {
  /** Resident sizes added up: a page that two of them share counts twice. */
  residentMb: number;
  /** Proportional sizes added up: a page counts by their part of all that map it, whoever they are. */
  proportionalMb: number;
  /** Every page of theirs once, whoever else maps it. Needs root; 0 without. */
  distinctMb: number;
}

export function memoryOf(pids: readonly number[]): Memory {
  const frames = new Set<number>();
  let [resident, proportional] = [0, 0];
  for (const pid of pids) {
    const rollup = textOf(`/proc/${pid}/smaps_rollup`) ?? '';
    resident += kbOf(rollup, 'Rss');
    proportional += kbOf(rollup, 'Pss');
    addFrames(pid, frames);
  }
  const mb = (kb: number): number => Math.round(kb / 1024);
  const distinctMb = mb((frames.size * PAGE) / 1024);
  return { residentMb: mb(resident), proportionalMb: mb(proportional), distinctMb };
}

function kbOf(rollup: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, 'm').exec(rollup)?.[1] ?? 0);
}

function addFrames(pid: number, frames: Set<number>): void {
  const maps = textOf(`/proc/${pid}/maps`);
  if (maps === undefined) return;
  let file: number | undefined;
  try {
    file = openSync(`/proc/${pid}/pagemap`, 'r');
    for (const line of maps.split('\n')) {
      // What may be read at all: gigabytes are only reserved. [vsyscall] is the kernel's.
      const range = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line);
      if (range && !line.endsWith('[vsyscall]'))
        addRange(file, Number(`0x${range[1]}`) / PAGE, Number(`0x${range[2]}`) / PAGE, frames);
    }
  } catch {
    // It has ended between two looks, or may not be looked into.
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const entries = Buffer.alloc(CHUNK * ENTRY);

function addRange(file: number, from: number, to: number, frames: Set<number>): void {
  for (let at = from; at < to; at += CHUNK) {
    const wanted = Math.min(CHUNK, to - at) * ENTRY;
    const got = readSync(file, entries, 0, wanted, at * ENTRY);
    if (got <= 0) return;
    for (let index = 0; index + ENTRY <= got; index += ENTRY) {
      const high = entries.readUInt32LE(index + 4);
      if (high < PRESENT) continue;
      const frame = (high & HIGH_OF_FRAME) * 0x1_0000_0000 + entries.readUInt32LE(index);
      if (frame !== 0) frames.add(frame);
    }
  }
}

export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended between two looks.
    return undefined;
  }
}
