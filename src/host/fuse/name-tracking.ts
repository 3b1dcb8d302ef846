import { constants } from 'node:fs';
import { CreateIn, LinkIn, MkdirIn, MknodIn } from '../../core/codec/fuse/messages.ts';
import { Rename2In, RenameIn } from '../../core/codec/fuse/messages.ts';
import { OPCODES, OUT_HEADER_BYTES } from '../../core/codec/fuse/constants.ts';
import type { LoggedName, Removed } from '../../core/disk/undo-log.ts';
import type { Engine } from './engine.ts';
import { AT, libc, O_CLOEXEC, O_PATH } from './libc.ts';
import { lockShared, unlockShared } from './lock.ts';
import { WORD } from './memory.ts';
import type { Name } from './name-table.ts';
import { appendName } from './undo-log.ts';

/**
 * Records changes of names. What loses its last name is kept by a descriptor, not by a name
 * elsewhere: if this process dies nothing is left behind, and who has it open sees no difference.
 */

const O = OPCODES;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const RENAME_EXCHANGE = 2;
const NOTHING: Removed = { grave: -1, mode: 0, uid: 0, gid: 0 };

/** Where the name of what is made stands in the body. */
const MAKES: Readonly<Record<number, number>> = {
  [O.create]: CreateIn.size,
  [O.mkdir]: MkdirIn.size,
  [O.mknod]: MknodIn.size,
  [O.symlink]: 0,
  [O.link]: LinkIn.size,
};
const OTHERS = new Set<number>([O.unlink, O.rmdir, O.rename, O.rename2]);

export function changesNames(opcode: number): boolean {
  return MAKES[opcode] !== undefined || OTHERS.has(opcode);
}

/** Runs an operation on names and records what it did. The log's lock is held. */
export function trackNames(engine: Engine, run: () => number): number {
  switch (engine.opcode) {
    case O.unlink:
    case O.rmdir:
      return remove(engine, run);
    case O.rename:
    case O.rename2:
      return move(engine, run);
    default:
      return make(engine, MAKES[engine.opcode] ?? 0, run);
  }
}

function textOf(engine: Engine, name: Name): string {
  return engine.input.toString('latin1', name.from, name.from + name.length);
}

/** What a name leads to now. */
interface Found extends Removed {
  node: number;
  /** 0: there is nothing. */
  mode: number;
}

/** @param keeps whether to keep what is there: its name is about to go. */
function find(engine: Engine, directory: number, name: Name, keeps: boolean): Found {
  const { words } = engine.memory;
  lockShared(words, WORD.pathLock);
  const dirfd = engine.directory(directory);
  const path = engine.addressOfName(name);
  const there = dirfd !== -1 && engine.stat(dirfd, path, AT.symlinkNofollow) === 0;
  let found: Found = { node: 0, ...NOTHING };
  if (there) {
    const { mode, ownerUid: uid, ownerGid: gid } = engine;
    found = { node: engine.known(), mode, uid, gid, grave: -1 };
    const isRegular = (mode & S_IFMT) === S_IFREG;
    if (keeps && (mode & S_IFMT) !== S_IFDIR) {
      const kind = isRegular ? constants.O_RDONLY | constants.O_NONBLOCK : O_PATH;
      found.grave = libc.openat(dirfd, path, kind | constants.O_NOFOLLOW | O_CLOEXEC, 0);
    }
  }
  unlockShared(words, WORD.pathLock);
  return found;
}

/** Counts what a record keeps; the bytes of a file that still has other names are not its. */
function bury(engine: Engine, found: Found): void {
  if (found.grave === -1) return;
  const { words } = engine.memory;
  Atomics.add(words, WORD.graves, 1);
  if (engine.statDescriptor(found.grave) !== 0 || engine.links > 0) return;
  Atomics.add(words, WORD.gravesKiB, Math.min(2 ** 30, Math.ceil(engine.size / 1024)));
}

function note(engine: Engine, logged: LoggedName): void {
  const { change } = logged;
  const nodes = [change.directory, change.node];
  if (change.what === 'moved' || change.what === 'exchanged') {
    nodes.push(change.to.directory, change.replaced);
  }
  for (const node of nodes) if (node !== 0) engine.table.track(node);
  appendName(engine, logged);
}

function make(engine: Engine, at: number, run: () => number): number {
  const name = engine.entryName(at);
  if (name === undefined) return run();
  // A create may open what is there already.
  const isOld = engine.opcode === O.create && find(engine, engine.node, name, false).mode !== 0;
  const result = run();
  if (result < 0 || isOld) return result;
  const node = engine.outputView.getUint32(OUT_HEADER_BYTES, true);
  const change = { directory: engine.node, name: textOf(engine, name), node };
  note(engine, { change: { what: 'made', ...change }, ...NOTHING });
  return result;
}

function remove(engine: Engine, run: () => number): number {
  const name = engine.entryName(0);
  if (name === undefined) return run();
  const found = find(engine, engine.node, name, true);
  const result = run();
  if (result < 0) {
    engine.close(found.grave);
    return result;
  }
  bury(engine, found);
  const change = { directory: engine.node, name: textOf(engine, name), node: found.node };
  note(engine, { ...found, change: { what: 'removed', ...change } });
  return result;
}

function move(engine: Engine, run: () => number): number {
  const is2 = engine.opcode === O.rename2;
  const at = is2 ? Rename2In.size : RenameIn.size;
  const exchanges = is2 && (engine.u32(Rename2In.at.flags) & RENAME_EXCHANGE) !== 0;
  const from = engine.entryName(at);
  const to = engine.entryName(at, 1);
  const toDirectory = engine.u64(RenameIn.at.newdir);
  if (from === undefined || to === undefined || !engine.table.isLive(toDirectory)) return run();
  const source = find(engine, engine.node, from, false);
  const target = find(engine, toDirectory, to, !exchanges);
  const result = run();
  const isSame = source.node !== 0 && source.node === target.node;
  if (result < 0 || isSame) {
    engine.close(target.grave);
    return result;
  }
  bury(engine, target);
  const isDirectory = [source, target].some(({ mode }) => (mode & S_IFMT) === S_IFDIR);
  const change = {
    directory: engine.node,
    name: textOf(engine, from),
    node: source.node,
    to: { directory: toDirectory, name: textOf(engine, to) },
    replaced: target.node,
    reparents: isDirectory && toDirectory !== engine.node,
  };
  note(engine, { ...target, change: { what: exchanges ? 'exchanged' : 'moved', ...change } });
  return result;
}
