import { constants } from 'node:fs';
import { lstat, open, readdir, realpath, stat, statfs, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { DiskAct, FlippedFile } from '../../core/model/act-disk.ts';
import type { DiskAnswer, DiskFile, FilePlaces } from '../../core/model/query-disk.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const DRAWN = 2 ** 32;
const NOT_REGULAR = 'ENOTREG';
/** statfs(2): what looks like a file there is a switch of the kernel's, or of the firmware's. */
const OF_THE_KERNEL = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x62656570, // configfs
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0xcafe4a11, // bpf
  0xde5e81e4, // efivarfs
  0x6165676c, // pstore
]);

async function withFile<T>(
  path: string,
  flags: number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const notRegular = (): Error =>
    Object.assign(new Error(`${path} is no regular file`), { code: NOT_REGULAR });
  // Before it is opened: to open a device is to do something to it, and a FIFO keeps who opens it.
  if (!(await lstat(path)).isFile()) throw notRegular();
  const file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw notRegular();
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Bytes as hexadecimal text: as many as there are. */
async function read(file: FileHandle, offset: number, bytes: number): Promise<string> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, offset);
  return buffer.toString('hex', 0, bytesRead);
}

async function pathOf({ path, segment }: FilePlaces): Promise<string> {
  if (path !== undefined || segment === undefined) return path ?? '';
  const directory = join(segment.directory, segment.topicPartition);
  const names = (await readdir(directory)).filter((name) => /^\d{20}\.log$/.test(name)).sort();
  const name = segment.which === 'oldest' ? names[0] : names.at(-1);
  if (name === undefined) throw new Error(`no segment in ${directory}`);
  return join(directory, name);
}

async function look(path: string, places: FilePlaces): Promise<DiskFile> {
  return withFile(path, O_RDONLY, async (file) => {
    const { size, ino } = await file.stat();
    const to = Math.min(size, places.to ?? size);
    if (places.from >= to) throw new Error(`${path} has ${size} bytes: none in that range`);
    const windows = [];
    for (const draw of places.draws) {
      const at = places.from + Math.floor((draw / DRAWN) * (to - places.from));
      const offset = Math.max(0, at - places.around);
      const was = await read(file, offset, at + places.around + 1 - offset);
      windows.push({ at, offset, was });
    }
    return { path, inode: ino, bytes: size, windows };
  });
}

/** @throws Error: it is the kernel's, or the agent's own. */
async function refuseOthers(path: string, stateDirectory: string | undefined): Promise<void> {
  if (OF_THE_KERNEL.has((await statfs(path)).type)) throw new Error(`${path} is the kernel's`);
  if (stateDirectory === undefined) return;
  const [at, own] = [await realpath(path), await realpath(stateDirectory)];
  const sameDevice = (await stat(at)).dev === (await stat(own)).dev;
  if (sameDevice && at.startsWith(`${own}/`)) throw new Error(`${path} is this agent's own state`);
}

/** @param stateDirectory the agent's own, whose files are not flipped. */
export async function fileAt(
  places: FilePlaces,
  stateDirectory: string | undefined,
): Promise<Extract<DiskAnswer, { query: 'diskFile' }>> {
  try {
    const path = await pathOf(places);
    await refuseOthers(path, stateDirectory);
    return { query: 'diskFile', file: await look(path, places) };
  } catch (error) {
    return { query: 'diskFile', why: reasonOf(error) };
  }
}

export async function bytesAre(
  path: string,
  windows: readonly { offset: number; is: string }[],
): Promise<boolean> {
  try {
    return await withFile(path, O_RDONLY, async (file) => {
      for (const { offset, is } of windows) {
        if ((await read(file, offset, is.length / 2)) !== is) return false;
      }
      return true;
    });
  } catch {
    // Not there any more.
    return false;
  }
}

/** Writes at rest: synced, and the file's times are what they were. */
async function write(file: FileHandle, windows: readonly { offset: number; bytes: string }[]) {
  const { atime, mtime } = await file.stat();
  for (const { offset, bytes } of windows) {
    await file.write(Buffer.from(bytes, 'hex'), 0, bytes.length / 2, offset);
  }
  await file.utimes(atime, mtime);
  await file.sync();
}

export async function flip(act: Extract<DiskAct, { act: 'disk.flip' }>): Promise<void> {
  await withFile(act.path, O_RDWR, async (file) => {
    const changed = new Failure('changed', `${act.path} is not what it was`, { definite: true });
    if ((await file.stat()).ino !== act.inode) throw changed;
    const todo = [];
    for (const { offset, was, is } of act.windows) {
      const now = await read(file, offset, was.length / 2);
      if (now === was) todo.push({ offset, bytes: is });
      else if (now !== is) throw changed;
    }
    await write(file, todo);
  }).catch((error: unknown) => {
    if (error instanceof Failure) throw error;
    const message = `${act.path} could not be changed: ${reasonOf(error)}`;
    throw new Failure('not-flipped', message, { definite: false, cause: error });
  });
}

/** What is not as the flip left it belongs to others by now, and stays. */
export async function flipBack({ path, inode, windows }: FlippedFile): Promise<void> {
  try {
    await withFile(path, O_RDWR, async (file) => {
      if ((await file.stat()).ino !== inode) return;
      const todo = [];
      for (const { offset, was, is } of windows) {
        if ((await read(file, offset, is.length / 2)) === is) todo.push({ offset, bytes: was });
      }
      if (todo.length > 0) await write(file, todo);
    });
  } catch (error) {
    // Deleted, or renamed to be: the bits went with it.
    if (
      ['ENOENT', 'ENOTDIR', 'ELOOP', NOT_REGULAR].includes(
        (error as NodeJS.ErrnoException).code ?? '',
      )
    )
      return;
    const message = `the bytes of ${path} could not be put back: ${reasonOf(error)}`;
    throw new Failure('not-flipped-back', message, { definite: false, cause: error });
  }
}
