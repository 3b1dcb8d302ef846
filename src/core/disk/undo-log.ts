import type { NameRecord } from './names.ts';
import { parse, print, struct, type Values } from '../codec/fuse/struct.ts';

/*
 * The log of what was not fsynced (a memory file, written by all threads of a file system):
 *
 *   log    = record*                       ends at the first record of type 0, or where it is cut off
 *   record = head data? pad                pad: zeros to a multiple of 8
 *   head   = type node generation size offset                          24 bytes
 *
 *   mark      offset = the file's durable size; from here on its changes are recorded
 *   image     data = `size` durable bytes at `offset`, before they were changed
 *   synced    everything recorded of the node before is durable
 *   forgotten the node's data was put back to what is durable; of its names nothing follows
 *   name      data = change name [name]: a change of names, node = the directory
 */
export const RECORD = { mark: 1, image: 2, synced: 3, forgotten: 4, name: 5 } as const;
export type RecordType = (typeof RECORD)[keyof typeof RECORD];

export const RecordHead = struct({
  type: 'u32',
  node: 'u32',
  generation: 'u32',
  size: 'u32',
  offset: 'u64',
});
export type RecordHead = Values<(typeof RecordHead)['fields']>;

/** Bytes a record takes in the log. */
export function recordBytes(dataBytes: number): number {
  return (RecordHead.size + dataBytes + 7) & ~7;
}

/** Bytes of data behind a head. */
export function dataBytes(head: RecordHead): number {
  return head.type === RECORD.image || head.type === RECORD.name ? head.size : 0;
}

export function printRecord(head: RecordHead, into: DataView): void {
  print(RecordHead, head, into);
}

/** The record's head at `at`, or undefined where the log ends. */
export function parseRecord(bytes: DataView, at = 0): RecordHead | undefined {
  const head = parse(RecordHead, bytes, at);
  return head === undefined || head.type === 0 ? undefined : head;
}

const WHAT = ['made', 'removed', 'moved', 'exchanged'] as const;

const Change = struct({
  what: 'u32',
  node: 'u32',
  toDirectory: 'u32',
  replaced: 'u32',
  reparents: 'u32',
  /** A descriptor of what lost its name, plus one. */
  grave: 'u32',
  /** Of a directory that was removed: what it takes to make it again. */
  mode: 'u32',
  uid: 'u32',
  gid: 'u32',
  nameBytes: 'u32',
  toBytes: 'u32',
  padding: 'u32',
});

/** What has to be kept to put a removed name back. */
export interface Removed {
  /** A descriptor (O_PATH for what is no regular file); -1: none. */
  grave: number;
  mode: number;
  uid: number;
  gid: number;
}

export type LoggedName = { change: Exclude<NameRecord, { what: 'synced' }> } & Removed;

/** A name's bytes, each a character. */
function read(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function write(name: string, bytes: Uint8Array, at: number): number {
  for (let index = 0; index < name.length; index++) bytes[at + index] = name.charCodeAt(index);
  return name.length;
}

/** Writes a change of names at `at`. @returns the bytes it took. */
export function printName(
  logged: LoggedName,
  bytes: Uint8Array,
  view: DataView,
  at: number,
): number {
  const { change, grave, mode, uid, gid } = logged;
  const moves = change.what === 'moved' || change.what === 'exchanged';
  const nameBytes = write(change.name, bytes, at + Change.size);
  const toBytes = write(moves ? change.to.name : '', bytes, at + Change.size + nameBytes);
  const values = {
    what: WHAT.indexOf(change.what),
    node: change.node,
    toDirectory: moves ? change.to.directory : 0,
    replaced: moves ? change.replaced : 0,
    reparents: moves && change.reparents ? 1 : 0,
    grave: grave + 1,
    mode,
    uid,
    gid,
    nameBytes,
    toBytes,
    padding: 0,
  };
  print(Change, values, view, at);
  return Change.size + nameBytes + toBytes;
}

/** Reads a change of names in `directory`; undefined where the bytes end before it does. */
export function parseName(
  directory: number,
  bytes: Uint8Array,
  view: DataView,
  at: number,
): LoggedName | undefined {
  const values = parse(Change, view, at);
  const what = WHAT[values?.what ?? -1];
  if (values === undefined || what === undefined) return undefined;
  const { node, toDirectory, replaced, mode, uid, gid, nameBytes, toBytes } = values;
  const from = at + Change.size;
  const name = read(bytes, from, from + nameBytes);
  const removed = { grave: values.grave - 1, mode, uid, gid };
  if (what === 'made' || what === 'removed') {
    return { change: { what, directory, name, node }, ...removed };
  }
  const end = from + nameBytes + toBytes;
  const to = { directory: toDirectory, name: read(bytes, from + nameBytes, end) };
  const reparents = values.reparents !== 0;
  return { change: { what, directory, name, node, to, replaced, reparents }, ...removed };
}
