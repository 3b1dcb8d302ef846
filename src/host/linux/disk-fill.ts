import { constants } from 'node:fs';
import { open, lstat, rm, statfs, stat } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { DiskAct } from '../../core/model/act-disk.ts';
import type { Capability } from '../../core/model/fault.ts';
import type { DiskAnswer } from '../../core/model/query-disk.ts';
import { exec } from '../exec.ts';
import { FILE_SYSTEM_TYPE, readMounts } from '../fuse/mounts.ts';

type Fill = Extract<DiskAct, { act: 'disk.fill' | 'disk.fill.remove' }>;

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
const NEW = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
const THERE = O_RDWR | O_NOFOLLOW;
/** Magic numbers of file systems that are memory: tmpfs, ramfs (linux/magic.h). */
const MEMORY = [0x01021994, 0x858458f6];
const TIMEOUT_MS = 60_000;
const NAME = /\/\.faultline-[0-9a-z]{1,32}$/;

/** The mount that holds a path: the longest of those above it, the newest of those alike. */
function typeAt(path: string): string {
  let best = { mountPoint: '', type: '' };
  for (const mount of readMounts()) {
    const { mountPoint } = mount;
    const holds = mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`);
    if (holds && mountPoint.length >= best.mountPoint.length) best = mount;
  }
  return best.type;
}

/** @param stateDirectory whose file system must keep its room. */
export async function spaceOf(
  directory: string,
  stateDirectory: string | undefined,
): Promise<Extract<DiskAnswer, { query: 'diskSpace' }>> {
  try {
    const looked = await stat(directory);
    if (!looked.isDirectory()) return { query: 'diskSpace', why: `${directory} is no directory` };
    const { type, blocks, bavail, bsize } = await statfs(directory);
    const state = stateDirectory === undefined ? undefined : await stat(stateDirectory);
    const space = {
      device: String(looked.dev),
      totalBytes: blocks * bsize,
      availableBytes: bavail * bsize,
      ownState: state?.dev === looked.dev,
      ours: typeAt(directory) === FILE_SYSTEM_TYPE,
      ...(MEMORY.includes(type >>> 0) ? { memoryBytes: freemem() } : {}),
    };
    return { query: 'diskSpace', space };
  } catch (error) {
    return { query: 'diskSpace', why: reasonOf(error) };
  }
}

/** The size of our file; undefined where none of ours is there. */
async function sizeOf(path: string): Promise<number | undefined> {
  const looked = await lstat(path).catch(() => undefined); // Not there, or not to be seen: not ours.
  return looked?.isFile() === true ? looked.size : undefined;
}

export async function fill({ path, bytes }: Extract<Fill, { act: 'disk.fill' }>): Promise<void> {
  const size = await sizeOf(path);
  if (size === bytes) return;
  try {
    // New, or it could be somebody's link to anywhere; and that very file is what grows, whatever
    // whoever owns the directory puts in its place meanwhile.
    const file = await open(path, size === undefined ? NEW : THERE, 0o600);
    try {
      const looked = await file.stat();
      if (!looked.isFile() || looked.nlink !== 1) throw new Error('it has another name, too');
      const same = `/proc/${process.pid}/fd/${file.fd}`;
      await exec(['fallocate', '--length', String(bytes), same], { timeoutMs: TIMEOUT_MS });
    } finally {
      await file.close();
    }
  } catch (error) {
    await removeFill({ path });
    const message = `${path} could not be allocated: ${reasonOf(error)}`;
    throw new Failure('not-filled', message, { definite: true, cause: error });
  }
}

export async function removeFill({ path }: { path: string }): Promise<void> {
  if (!NAME.test(path) || (await sizeOf(path)) === undefined) return;
  await rm(path, { force: true });
}

export async function fillHolds(act: Fill): Promise<boolean> {
  const size = await sizeOf(act.path);
  return act.act === 'disk.fill' ? size === act.bytes : size === undefined;
}

/** By doing, where it harms nobody. */
export async function tryFallocate(scratchDir: string): Promise<Omit<Capability, 'need'>> {
  const path = join(scratchDir, `needs-fallocate-${process.pid}`);
  try {
    await exec(['fallocate', '--length', '4096', path], { timeoutMs: 10_000 });
    return { met: true, why: 'a file was allocated' };
  } catch (error) {
    return { met: false, why: reasonOf(error) };
  } finally {
    await rm(path, { force: true });
  }
}
