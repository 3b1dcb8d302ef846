import type { Command, RouteMap } from '@stricli/core';
import { reasonOf } from '../core/base/failure.ts';
import { CliError } from './cli-error.ts';
import type { CliContext } from './context.ts';
import { EXIT } from './exit-codes.ts';

export type Target = Command<CliContext> | RouteMap<CliContext>;

/** A command by name: what it is for, and where it is loaded from when somebody calls it. */
export interface CommandEntry {
  brief: string;
  load: () => Promise<unknown>;
}

/** In the order in which `faultline --help` shows them. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  demo: {
    brief: 'A lab, a run with faults from a seed, a verdict and a report: everything at once',
    load: () => import('./demo.ts'),
  },
  lab: {
    brief: 'A real Kafka cluster in namespaces on this machine (up, status, logs, shell, down)',
    load: () => import('./lab.ts'),
  },
  run: {
    brief: 'Execute a scenario from a seed, to a verdict',
    load: () => import('./run.ts'),
  },
  validate: {
    brief: 'Check a scenario or cluster document: all problems at once',
    load: () => import('./validate.ts'),
  },
  explain: {
    brief: 'Every rule and command a scenario would apply, with its undo',
    load: () => import('./explain.ts'),
  },
  schedule: {
    brief: 'Print the schedule a seed makes, without running anything',
    load: () => import('./schedule.ts'),
  },
  report: {
    brief: 'Write the report of a run again',
    load: () => import('./report.ts'),
  },
  fault: {
    brief: 'Create, list, show and heal single faults',
    load: () => import('./fault.ts'),
  },
  heal: {
    brief: 'Heal everything everywhere and refuse new faults until resume',
    load: () => import('./heal.ts'),
  },
  resume: {
    brief: 'Allow new faults again after heal',
    load: () => import('./resume.ts'),
  },
  doctor: {
    brief: 'What Faultline has left on this node',
    load: () => import('./doctor.ts'),
  },
  mount: {
    brief: 'A directory as a file system that can be told to fail',
    load: () => import('./mount.ts'),
  },
  disk: {
    brief: 'Faults of a mounted disk (set, show, clear, powercut, doctor)',
    load: () => import('./disk.ts'),
  },
  proxy: {
    brief: 'A proxy for Kafka clients that meets single requests with trouble; needs no root',
    load: () => import('./proxy.ts'),
  },
  nodes: {
    brief: 'Nodes with their links, clocks and what each can do',
    load: () => import('./nodes.ts'),
  },
  kinds: {
    brief: 'Fault kinds with their parameters and examples',
    load: () => import('./kinds.ts'),
  },
  events: {
    brief: 'What happens, as it happens',
    load: () => import('./events.ts'),
  },
  agent: {
    brief: 'The daemon of every node: carries faults out and heals them',
    load: () => import('./agent.ts'),
  },
  coordinator: {
    brief: 'The daemon that plans and schedules faults over all agents',
    load: () => import('./coordinator.ts'),
  },
  compat: {
    brief: "Our programs in the place of Trogdor's and Kibosh's (install, uninstall)",
    load: () => import('./compat.ts'),
  },
  completion: {
    brief: 'Print the completion of commands and flags for a shell',
    load: () => import('./completion.ts'),
  },
};

function isTarget(value: unknown): value is Target {
  return typeof value === 'object' && value !== null && 'formatHelp' in value;
}

/** Loads one command. @throws CliError where this checkout does not have it. */
export async function loadCommand(name: string, entry: CommandEntry): Promise<Target> {
  try {
    const module = (await entry.load()) as Record<string, unknown>;
    const target = Object.values(module).find(isTarget);
    if (target !== undefined) return target;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CliError(`'faultline ${name}' is not complete in this checkout: ${reasonOf(error)}`, {
      exitCode: EXIT.unavailable,
      remedy: 'update the checkout, then run it again',
      cause: error,
    });
  }
  throw new CliError(`'faultline ${name}' exports no command`, { exitCode: EXIT.bug });
}
