import { readFileSync } from 'node:fs';
import { buildCommand, buildRouteMap } from '@stricli/core';
import type { DiskState } from '../host/fuse/disk-state.ts';
import type { DiskEvent } from '../host/fuse/events.ts';
import type { Lost } from '../host/fuse/power-cut.ts';
import { printJson, printLine, type CliContext } from './context.ts';
import { LOSSES } from '../core/disk/unsynced.ts';
import { NAME_MODELS, type NameModel } from '../core/disk/names.ts';
import { withExamples } from './examples.ts';
import { argument, jsonFlag, switchFlag } from './flags.ts';

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
    const owner = fault.owner === 'specification' ? '' : `, set by ${fault.owner || 'itself'}`;
    printLine(context, `${fault.id} (${fault.kind}): ${active}, ${counts}${owner}`);
  }
  if (state.faults.length === 0) printLine(context, 'no faults');
  if (state.held > 0) printLine(context, `${state.held} request(s) held now`);
}

const mountPoint = argument('MOUNTPOINT', 'where the file system is mounted');

const set = buildCommand<{ json: boolean }, [mountPoint: string, file: string], CliContext>({
  docs: {
    brief: 'Replace the faults by those of a specification (JSON; - is standard input)',
    fullDescription: withExamples(
      `Returns when they are in force, also for files that are open, cached and mapped.
A specification with any problem is refused whole; a fault that stays word for word keeps its counters.`,
      [
        ['faultline disk set /var/lib/kafka/d1 faults.json', 'the faults of a file'],
        ['faultline disk set /var/lib/kafka/d1 - --json', 'those of standard input'],
      ],
    ),
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

function printEvent(context: CliContext, event: DiskEvent): void {
  if (event.type === 'ended') {
    printLine(context, `${event.at} ${event.fault}: ended by ${event.endedBy}`);
    return;
  }
  const error = event.errno === 0 ? '' : `, error ${event.errno}`;
  const faults = event.faults.join(', ');
  printLine(context, `${event.at} ${faults}: ${event.operation} of ${event.path || '.'}${error}`);
}

const showCommand = buildCommand<
  { json: boolean; events: boolean },
  [mountPoint: string],
  CliContext
>({
  docs: {
    brief: 'The faults of a mount and how often each has hit',
    fullDescription: withExamples(
      `Counters are those of all threads together. Of the events the last thousand are kept; while
more than a hundred a second happen on a thread, the counters alone know the rest.`,
      [
        ['faultline disk show /var/lib/kafka/d1', 'what is in force there'],
        ['faultline disk show /var/lib/kafka/d1 --events', 'what was hit, and what has ended'],
      ],
    ),
  },
  parameters: {
    flags: { json: jsonFlag, events: switchFlag('also what has happened, oldest first') },
    positional: { kind: 'tuple', parameters: [mountPoint] },
  },
  async func(flags, at) {
    const state = (await ask(at, 'GET', '/v1/disk')) as DiskState;
    if (!flags.events) return show(this, state, flags.json);
    const { events } = (await ask(at, 'GET', '/v1/disk/events')) as { events: DiskEvent[] };
    if (flags.json) return printJson(this, { ...state, events });
    show(this, state, false);
    for (const event of events) printEvent(this, event);
    if (state.eventsDropped > 0) printLine(this, `and ${state.eventsDropped} more hits`);
  },
});

const clear = buildCommand<{ json: boolean }, [mountPoint: string], CliContext>({
  docs: {
    brief: 'Remove the faults of the specification; what they held goes on',
    fullDescription: withExamples('Returns when none of them is in force any more.', [
      ['faultline disk clear /var/lib/kafka/d1', 'a healthy disk again'],
    ]),
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: { kind: 'tuple', parameters: [mountPoint] },
  },
  async func(flags, at) {
    show(this, (await ask(at, 'DELETE', '/v1/disk')) as DiskState, flags.json);
  },
});

const UNDONE = {
  made: 'was made, and is gone',
  removed: 'was removed, and is back',
  moved: 'was renamed, and is back',
  exchanged: 'changed places, and is back',
} as const;

const powercut = buildCommand<
  { json: boolean; loss: (typeof LOSSES)[number]; names: NameModel; seed: number },
  [mountPoint: string],
  CliContext
>({
  docs: {
    brief: 'Lose what was never fsynced',
    fullDescription: withExamples(
      `Kill the programs that use the mount first: what they have mapped is written again otherwise.
Needs a specification with "trackUnsynced": true from before the data was written.`,
      [['faultline disk powercut /var/lib/kafka/d1 --loss torn --seed 7', 'torn tails, by a seed']],
    ),
  },
  parameters: {
    flags: {
      json: jsonFlag,
      loss: { kind: 'enum', values: LOSSES, default: 'all', brief: 'how much is lost' },
      names: {
        kind: 'enum',
        values: NAME_MODELS,
        default: 'own',
        brief:
          "what an fsync makes durable of names: a directory's, a file's own, or all before it",
      },
      seed: { kind: 'parsed', parse: Number, default: '0', brief: 'decides what survives' },
    },
    positional: { kind: 'tuple', parameters: [mountPoint] },
  },
  async func(flags, at) {
    const { loss, seed, names } = flags;
    const body = JSON.stringify({ loss, seed, names });
    const lost = (await ask(at, 'POST', '/v1/disk/powercut', body)) as Lost;
    if (flags.json) return printJson(this, lost);
    for (const { undone, path, to, errno } of lost.names) {
      const where = to === undefined ? path : `${path} to ${to}`;
      const failed = errno === undefined ? '' : `, which failed: error ${errno}`;
      printLine(this, `${where}: ${UNDONE[undone]}${failed}`);
    }
    for (const { path, truncated, restored, errno } of lost.files) {
      const failed = errno === undefined ? '' : `, which failed: error ${errno}`;
      printLine(this, `${path}: ${truncated} byte(s) cut off, ${restored} put back${failed}`);
    }
    const count = lost.files.length + lost.names.length;
    if (count === 0) printLine(this, 'nothing was unsynced');
  },
});

const doctor = buildCommand<{ json: boolean }, [mountPoint: string], CliContext>({
  docs: {
    brief: 'Unmount what a file-system process that died left at a place',
    fullDescription: withExamples('A mount that answers is left alone.', [
      ['faultline disk doctor /var/lib/kafka/d1', 'look, and unmount a dead one'],
    ]),
  },
  parameters: {
    flags: { json: jsonFlag },
    positional: { kind: 'tuple', parameters: [mountPoint] },
  },
  async func(flags, at) {
    const { canonicalMountPoint } = await import('../host/fuse/control-client.ts');
    const { ourMountAt } = await import('../host/fuse/mounts.ts');
    const { unmountLeftover } = await import('../host/fuse/supervise.ts');
    const path = canonicalMountPoint(at);
    const say = (state: 'absent' | 'alive' | 'unmounted', says: string): void => {
      if (flags.json) printJson(this, { mountPoint: path, state });
      else printLine(this, says);
    };
    if (ourMountAt(path) === undefined) return say('absent', `nothing of ours at ${path}`);
    const alive = await ask(at, 'GET', '/v1/disk').then(
      () => true,
      () => false,
    );
    if (alive) return say('alive', `${path} is mounted and answers`);
    if (await unmountLeftover(path)) say('unmounted', `unmounted what was left at ${path}`);
    else say('alive', `the process of ${path} lives, but can't be asked: it is left alone`);
  },
});

export const diskCommand = buildRouteMap({
  routes: { set, show: showCommand, clear, powercut, doctor },
  docs: { brief: 'Faults of a mounted disk (set, show, clear, powercut, doctor)' },
});
