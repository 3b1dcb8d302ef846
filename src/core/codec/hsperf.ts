import { textToUtf8 } from './kafka/bytes.ts';

/**
 * The file by which a JVM of HotSpot makes itself known to jcmd and jps: /tmp/hsperfdata_USER/PID,
 * format 2.0 (what jdk.internal.jvmstat's PerfDataBuffer reads). All but the magic is little-endian.
 *
 *   file     := magic(u32 BE) order(u8) major(u8) minor(u8) accessible(u8) used(u32) overflow(u32)
 *               modified(u64) entryOffset(u32) entries(u32) entry*
 *   entry    := length(u32) nameOffset(u32) vectorLength(u32) type(u8) flags(u8) units(u8)
 *               variability(u8) dataOffset(u32) name NUL data NUL padding
 */
const MAGIC = 0xcafec0c0;
const LITTLE_ENDIAN = 1;
const PROLOGUE = 32;
const ENTRY = 20;
/** Entries begin at multiples of this. */
const ALIGNMENT = 8;
/** It is mapped, so a file is whole pages, of whatever size they are. */
const PAGES = 65_536;
const BYTES = 0x42; // 'B'
const SUPPORTED = 1;
const STRING = 5;
const CONSTANT = 1;

const NUL = Uint8Array.of(0);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function textEntry(name: string, text: string): Uint8Array {
  const names = joined([textToUtf8(name), NUL]);
  const data = joined([textToUtf8(text), NUL]);
  const used = ENTRY + names.length + data.length;
  const entry = new Uint8Array(Math.ceil(used / ALIGNMENT) * ALIGNMENT);
  const view = new DataView(entry.buffer);
  view.setUint32(0, entry.length, true);
  view.setUint32(4, ENTRY, true);
  view.setUint32(8, data.length, true);
  view.setUint8(12, BYTES);
  view.setUint8(13, SUPPORTED);
  view.setUint8(14, STRING);
  view.setUint8(15, CONSTANT);
  view.setUint32(16, ENTRY + names.length, true);
  entry.set(names, ENTRY);
  entry.set(data, ENTRY + names.length);
  return entry;
}

/** A file of texts, in their order. */
export function hsperfFile(texts: readonly (readonly [name: string, text: string])[]): Uint8Array {
  const entries = joined(texts.map(([name, text]) => textEntry(name, text)));
  const prologue = new Uint8Array(PROLOGUE);
  const view = new DataView(prologue.buffer);
  view.setUint32(0, MAGIC);
  view.setUint8(4, LITTLE_ENDIAN);
  view.setUint8(5, 2);
  view.setUint8(7, 1);
  view.setUint32(8, PROLOGUE + entries.length, true);
  view.setUint32(24, PROLOGUE, true);
  view.setUint32(28, texts.length, true);
  const used = joined([prologue, entries]);
  const file = new Uint8Array(Math.ceil(used.length / PAGES) * PAGES);
  file.set(used);
  return file;
}

/** What jcmd reads before it lists a process: its command, and whether it takes commands (it must). */
export function listedCommand(command: string): Uint8Array {
  return hsperfFile([
    ['sun.rt.javaCommand', command],
    ['sun.rt.jvmCapabilities', '1000000000000000000000000000000000000000000000000000000000000000'],
  ]);
}
