import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/base/failure.ts';
import type { DiskAct } from '../../core/model/act-disk.ts';
import { describeProcess, type ProcessRef } from '../../core/model/process-match.ts';
import { askDisk } from '../fuse/control-client.ts';
import type { Lost } from '../fuse/power-cut.ts';
import { stateOf } from './processes.ts';

type Cut = Extract<DiskAct, { act: 'disk.powercut' }>;

interface Losses {
  mounts: number;
  files: number;
  bytes: number;
  names: number;
}

/** Whoever was killed is dead, or about to be. */
const GONE_WITHIN_MS = 3_000;
const CUT_TIMEOUT_MS = 60_000;
const REMEMBERED = 100;

/** What each mount lost, by token: a cut is made once. A new agent arms no old fault. */
const cuts = new Map<string, Map<string, Lost>>();

export function wasCut({ token, mountPoint }: Cut): boolean {
  return cuts.get(token)?.has(mountPoint) === true;
}

/** Over all mounts that a cut went through. */
export function lostBy(token: string): Losses {
  const losses: Losses = { mounts: 0, files: 0, bytes: 0, names: 0 };
  for (const { files, names } of cuts.get(token)?.values() ?? []) {
    losses.mounts += 1;
    losses.files += files.length;
    losses.names += names.length;
    for (const file of files) losses.bytes += file.truncated + file.restored;
  }
  return losses;
}

/**
 * Whether a process still has its memory: a leader that is a zombie may have threads that run on, and what
 * they have mapped is written when the last of them ends.
 */
function mayWrite(ref: ProcessRef): boolean {
  const state = stateOf(ref);
  if (state === 'gone' || state === 'X') return false;
  if (state !== 'Z') return true;
  try {
    return readdirSync(`/proc/${ref.pid}/task`).length > 1;
  } catch {
    // Gone meanwhile.
    return false;
  }
}

async function waitUntilGone(processes: readonly ProcessRef[]): Promise<void> {
  for (let waited = 0; ; waited += 5) {
    const alive = processes.find(mayWrite);
    if (alive === undefined) return;
    if (waited >= GONE_WITHIN_MS) {
      const message = `${describeProcess(alive)} still lives: it would write again what is lost`;
      throw new Failure('process-alive', message, { definite: true });
    }
    await sleep(5);
  }
}

export async function cutPower(act: Cut): Promise<void> {
  if (wasCut(act)) return;
  await waitUntilGone(act.processes);
  const { loss, names, seed } = act;
  const body = JSON.stringify({ loss, seed, ...(names === undefined ? {} : { names }) });
  const route = '/v1/disk/powercut';
  const lost = (await askDisk(act.mountPoint, 'POST', route, body, CUT_TIMEOUT_MS)) as Lost;
  const done = cuts.get(act.token) ?? new Map<string, Lost>();
  cuts.set(act.token, done.set(act.mountPoint, lost));
  for (const token of cuts.keys()) {
    if (cuts.size > REMEMBERED) cuts.delete(token);
  }
}
