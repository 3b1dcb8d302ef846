import { constants } from 'node:fs';
import { RECORD, type LoggedName } from '../../core/disk/undo-log.ts';
import { planNames, type Entry, type NameModel, type NameRecord } from '../../core/disk/names.ts';
import type { Loss } from '../../core/disk/unsynced.ts';
import type { Random } from '../../core/base/random.ts';
import type { Engine } from './engine.ts';
import { AT, cString, lastErrno, libc, O_CLOEXEC } from './libc.ts';
import { WORD } from './memory.ts';
import { nameIn, readLog } from './undo-log.ts';

/** Undoes changes of names that a power cut lost, in the backing directory and in the node table. */

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;
const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;
const COPY_BYTES = 0x7ffff000;

/** A change of names that was undone. */
export interface LostName {
  undone: 'made' | 'removed' | 'moved' | 'exchanged';
  path: string;
  /** Where it had gone. */
  to?: string;
  /** Why it could not be undone. */
  errno?: number;
  /** The directories (nodes) and names whose look-ups have changed. */
  entries: { directory: number; name: string }[];
}

/** @returns what was undone, newest first. Log and path lock are held alone. */
export function loseNames(
  engine: Engine,
  loss: Loss,
  model: NameModel,
  random: Random,
): LostName[] {
  const records: NameRecord[] = [];
  const logged: (LoggedName | undefined)[] = [];
  readLog(engine, (record) => {
    const name = record.type === RECORD.name ? nameIn(engine, record) : undefined;
    if (name === undefined && record.type !== RECORD.synced) return;
    records.push(name?.change ?? { what: 'synced', node: record.node });
    logged.push(name);
  });
  const undo = new Undo(engine);
  return planNames(records, loss, model, random).map((index) =>
    undo.one(logged[index] as LoggedName),
  );
}

class Undo {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  one(logged: LoggedName): LostName {
    const { change } = logged;
    const path = this.#pathOf(change);
    const moves = change.what === 'moved' || change.what === 'exchanged';
    const entries: Entry[] = [{ directory: change.directory, name: change.name }];
    if (moves) entries.push(change.to);
    const errno = this.#undo(logged);
    Atomics.add(this.#engine.memory.words, WORD.pathEpoch, 1);
    return {
      undone: change.what,
      path,
      ...(moves ? { to: this.#pathOf(change.to) } : {}),
      ...(errno === 0 ? {} : { errno }),
      entries,
    };
  }

  #pathOf({ directory, name }: Entry): string {
    const parent = this.#engine.table.pathOf(directory);
    const text = Buffer.from(name, 'latin1').toString('utf8');
    return parent === undefined || parent === '' ? text : `${parent}/${text}`;
  }

  /** 0 or an errno. */
  #undo(logged: LoggedName): number {
    const { change } = logged;
    switch (change.what) {
      case 'made':
        return this.#unmake(change, change.node);
      case 'removed':
        return this.#putBack(logged, change, change.node);
      case 'moved': {
        const error = this.#rename(change.to, change, RENAME_NOREPLACE);
        if (error !== 0) return error;
        this.#relink(change.node, change.to, change);
        return logged.mode === 0 ? 0 : this.#putBack(logged, change.to, change.replaced);
      }
      case 'exchanged': {
        const error = this.#rename(change.to, change, RENAME_EXCHANGE);
        if (error !== 0) return error;
        this.#relink(change.node, change.to, change);
        this.#relink(change.replaced, change, change.to);
        return 0;
      }
    }
  }

  #relink(node: number, from: Entry, to: Entry): void {
    if (node === 0) return;
    this.#engine.table.addName(node, to.directory, nameOf(to));
    this.#engine.table.removeName(node, from.directory, nameOf(from));
  }

  #unmake(entry: Entry, node: number): number {
    const dirfd = this.#engine.directory(entry.directory);
    if (dirfd === -1) return lastErrno();
    const path = pathOf(entry);
    const found = this.#engine.stat(dirfd, path.address, AT.symlinkNofollow);
    if (found !== 0) return -found;
    const isDirectory = (this.#engine.mode & S_IFMT) === S_IFDIR;
    const flags = isDirectory ? AT.removedir : 0;
    if (libc.unlinkat(dirfd, path.address, flags) === -1) return lastErrno();
    if (node !== 0) this.#engine.table.removeName(node, entry.directory, nameOf(entry));
    return 0;
  }

  #rename(from: Entry, to: Entry, flags: number): number {
    const fromFd = this.#engine.directory(from.directory);
    const toFd = fromFd === -1 ? -1 : this.#engine.directory(to.directory);
    if (toFd === -1) return lastErrno();
    const [old, fresh] = [pathOf(from), pathOf(to)];
    const done = libc.renameat2(fromFd, old.address, toFd, fresh.address, flags);
    return done === -1 ? lastErrno() : 0;
  }

  /** Makes again what lost its name: by a link where it still has another, else as a copy. */
  #putBack(logged: LoggedName, entry: Entry, node: number): number {
    const dirfd = this.#engine.directory(entry.directory);
    if (dirfd === -1) return lastErrno();
    const path = pathOf(entry);
    const isDirectory = (logged.mode & S_IFMT) === S_IFDIR;
    const error = isDirectory
      ? this.#mkdir(logged, dirfd, path.address)
      : this.#revive(logged, dirfd, path.address);
    if (error === 0 && node !== 0) {
      this.#engine.table.addName(node, entry.directory, nameOf(entry));
    }
    return error;
  }

  #mkdir(logged: LoggedName, dirfd: number, path: number): number {
    if (libc.mkdirat(dirfd, path, logged.mode & 0o7777) === -1) return lastErrno();
    libc.fchownat(dirfd, path, logged.uid, logged.gid, AT.symlinkNofollow);
    return 0;
  }

  #revive(logged: LoggedName, dirfd: number, path: number): number {
    const engine = this.#engine;
    const { grave, mode, uid, gid } = logged;
    const looked = grave === -1 ? -2 : engine.statDescriptor(grave);
    if (looked !== 0) return -looked;
    if (engine.links > 0) {
      const from = engine.procPath(grave);
      const linked = libc.linkat(AT.fdcwd, from, dirfd, path, AT.symlinkFollow);
      return linked === -1 ? lastErrno() : 0;
    }
    const type = mode & S_IFMT;
    if (type === S_IFREG) return this.#copy(grave, dirfd, path);
    const made = type === S_IFLNK ? this.#symlink(grave, dirfd, path) : this.#special(dirfd, path);
    if (made === -1) return lastErrno();
    libc.fchownat(dirfd, path, uid, gid, AT.symlinkNofollow);
    return 0;
  }

  #symlink(grave: number, dirfd: number, path: number): number {
    const { scratch, scratchAddress, emptyAddress } = this.#engine;
    const length = libc.readlinkat(grave, emptyAddress, scratchAddress, 4096);
    if (length === -1) return -1;
    scratch[length] = 0;
    return libc.symlinkat(scratchAddress, dirfd, path);
  }

  /** The inode just looked at is a FIFO, a socket or a device. */
  #special(dirfd: number, path: number): number {
    return libc.mknodat(dirfd, path, this.#engine.mode, this.#engine.specialDevice);
  }

  /** The data, mode, owner and times of a file that has no name left. */
  #copy(grave: number, dirfd: number, path: number): number {
    const engine = this.#engine;
    const { size, mode, ownerUid: uid, ownerGid: gid } = engine;
    const times = engine.times();
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | O_CLOEXEC;
    const fd = libc.openat(dirfd, path, flags, 0o600);
    if (fd === -1) return lastErrno();
    let error = 0;
    engine.scratch.fill(0, 0, 16);
    for (let done = 0; done < size && error === 0;) {
      const at = engine.scratchAddress;
      const copied = libc.copyFileRange(grave, at, fd, at + 8, COPY_BYTES, 0);
      if (copied <= 0) error = copied === 0 ? 5 : lastErrno();
      else done += copied;
    }
    libc.fchownat(fd, engine.emptyAddress, uid, gid, AT.emptyPath);
    libc.fchmod(fd, mode & 0o7777);
    times.copy(engine.scratch);
    libc.futimens(fd, engine.scratchAddress);
    libc.close(fd);
    return error;
  }
}

function bytesOf(entry: Entry): Buffer {
  return Buffer.from(entry.name, 'latin1');
}

function nameOf(entry: Entry): { bytes: Uint8Array; from: number; length: number } {
  const bytes = bytesOf(entry);
  return { bytes, from: 0, length: bytes.length };
}

function pathOf(entry: Entry): { address: number; bytes: Buffer } {
  return cString(bytesOf(entry));
}
