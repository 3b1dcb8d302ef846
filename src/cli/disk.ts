import { readFileSync } from 'node:fs';
import { buildCommand, buildRouteMap } from '@stricli/core';
import type { DiskState } from '../host/fuse/control.ts';
import type { LostFile } from '../host/fuse/tracking.ts';
import { printJson, printLine, type CliContext } from './context.ts';
import { argument, jsonFlag } from './flags.ts';

async function ask(mountPoint: string, method: string, route: string, body?: string) {
  const { askDisk } = await import('../host/fuse/control-client.ts');
  return askDisk(mountPoint, method, route, body);
}

function show(context: CliContext, state: DiskState, json: boolean): void {
  if (json) return printJson(context, state);
  printLine(context, `${state.target} at ${state.mountPoint}: ${state.inodes} inodes known`);
  for (const fault of state.faults) {
    const active = fault.active ? 'in force' : 'not in force';
    const counts = `${fault.hits} hit(s) of ${fault.matched} matching request(s)`;
    printLine(context, `${fault.id} (${fault.kind}): ${active}, ${counts}`);
  }
  if (state.faults.length === 0) printLine(context, 'no faults');
  if (state.held > 0) printLine(context, `${state.held} request(s) held now`);
}

const mountPoint = argument('MOUNTPOINT', 'where the file system is mounted');

const set = buildCommand<{ json: boolean }, [mountPoint: string, file: string], CliContext>({
  docs: {
    brief: 'Replace the faults by those of a specification (JSON; - is standard input)',
    fullDescription: `Returns when they are in force, also for files that are open, cached and mapped.
A specification with any problem is refused whole; a fault that stays word for word keeps its counters.`,
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: { kind: 'tuple', parameters: [mountPoint, argument('FILE', 'the specification')] },
  },
  async func(flags, at, file) {
    const text = readFileSync(file === '-' ? 0 : file, 'utf8');
    show(this, (await ask(at, 'PUT', '/v1/disk', text)) as DiskState, flags.json);
  },
});

const showCommand = buildCommand<{ json: boolean }, [mountPoint: string], CliContext>({
  docs: { brief: 'The faults of a mount and how often each has hit' },
  parameters: {
    flags: { json: jsonFlag },
    positional: { kind: 'tuple', parameters: [mountPoint] },
  },
  async func(flags, at) {
    show(this, (await ask(at, 'GET', '/v1/disk')) as DiskState, flags.json);
  },
});

const clear = buildCommand<{ json: boolean }, [mountPoint: string], CliContext>({
  docs: { brief: 'Remove all faults; what they held goes on' },
  parameters: {
    flags: { json: jsonFlag },
    positional: { kind: 'tuple', parameters: [mountPoint] },
  },
  async func(flags, at) {
    show(this, (await ask(at, 'DELETE', '/v1/disk')) as DiskState, flags.json);
  },
});

const LOSSES = ['all', 'subset', 'torn', 'reordered'] as const;

const powercut = buildCommand<
  { json: boolean; loss: (typeof LOSSES)[number]; seed: number },
  [mountPoint: string],
  CliContext
>({
  docs: {
    brief: 'Lose what was never fsynced',
    fullDescription: `Kill the programs that use the mount first: what they have mapped is written again otherwise.
Needs a specification with "trackUnsynced": true from before the data was written.`,
  },
  parameters: {
    flags: {
      json: jsonFlag,
      loss: { kind: 'enum', values: LOSSES, default: 'all', brief: 'how much is lost' },
      seed: { kind: 'parsed', parse: Number, default: '0', brief: 'decides what survives' },
    },
    positional: { kind: 'tuple', parameters: [mountPoint] },
  },
  async func(flags, at) {
    const body = JSON.stringify({ loss: flags.loss, seed: flags.seed });
    const lost = (await ask(at, 'POST', '/v1/disk/powercut', body)) as { files: LostFile[] };
    if (flags.json) return printJson(this, lost);
    for (const { path, truncated, restored } of lost.files) {
      printLine(this, `${path}: ${truncated} byte(s) cut off, ${restored} put back`);
    }
    if (lost.files.length === 0) printLine(this, 'nothing was unsynced');
  },
});

const doctor = buildCommand<Record<string, never>, [mountPoint: string], CliContext>({
  docs: { brief: 'Unmount what a file-system process that died left at a place' },
  parameters: { flags: {}, positional: { kind: 'tuple', parameters: [mountPoint] } },
  async func(_flags, at) {
    const { canonicalMountPoint } = await import('../host/fuse/control-client.ts');
    const { ourMountAt } = await import('../host/fuse/mounts.ts');
    const { unmountLeftover } = await import('../host/fuse/supervise.ts');
    const path = canonicalMountPoint(at);
    if (ourMountAt(path) === undefined) return printLine(this, `nothing of ours at ${path}`);
    const alive = await ask(at, 'GET', '/v1/disk').then(
      () => true,
      () => false,
    );
    if (alive) return printLine(this, `${path} is mounted and answers`);
    const gone = unmountLeftover(path);
    printLine(this, gone ? `unmounted what was left at ${path}` : `nothing of ours at ${path}`);
  },
});

export const diskCommand = buildRouteMap({
  routes: { set, show: showCommand, clear, powercut, doctor },
  docs: { brief: 'Faults of a mounted disk (set, show, clear, powercut, doctor)' },
});
