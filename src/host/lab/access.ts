import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../core/base/failure.ts';
import { entrancesOf } from './cgroups.ts';
import { initPidOf, marksOf } from './node-namespace.ts';
import { INSIDE, nodeDirectory } from './place.ts';
import { requireLab } from './status.ts';

export const LOGS = ['broker', 'agent', 'disk', 'init'] as const;
export type Log = (typeof LOGS)[number];

const LOG_FILES: Readonly<Record<Log, readonly string[]>> = {
  // What the JVM itself says (a bad option, a crash) comes before Kafka's own log.
  broker: ['broker.out', 'broker.log'],
  agent: ['agent.out'],
  disk: ['disk.out'],
  init: ['init.log'],
};

function nodeOf(lab: string, node: string): { directory: string; initPid: number | undefined } {
  const { place, record } = requireLab(lab);
  const names = record.nodes.map((one) => one.name);
  if (!names.includes(node)) {
    const message = `lab '${lab}' has no node '${node}'; it has ${names.join(', ')}`;
    throw new Failure('no-such-node', message, { definite: true });
  }
  return { directory: nodeDirectory(place, node), initPid: initPidOf(place, node) };
}

/** Paths of a node's logs that are there, on this machine's disk. */
export function logFiles(lab: string, node: string, log: Log): string[] {
  const { directory } = nodeOf(lab, node);
  return LOG_FILES[log]
    .map((file) => join(directory, 'log', file))
    .filter((file) => existsSync(file));
}

/** Runs a program with our terminal and waits. @returns its exit code (128 + n for a signal). */
function attached(argv: readonly string[], env?: NodeJS.ProcessEnv): Promise<number> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    // Ctrl-C is for the program; it reaches this process too.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    const child = spawn(program, rest, { stdio: 'inherit', env: env ?? process.env });
    child.on('error', reject);
    child.on('exit', (code) => {
      process.off('SIGINT', ignore);
      resolve(code ?? 130);
    });
  });
}

/** Prints a node's log, and with `follow` what is added to it. @returns the exit code. */
export async function showLog(
  lab: string,
  node: string,
  log: Log,
  follow: boolean,
): Promise<number> {
  const files = logFiles(lab, node, log);
  if (files.length === 0) {
    const message = `node ${node} has no ${log} log (yet)`;
    throw new Failure('no-log', message, { definite: true });
  }
  return attached(follow ? ['tail', '-q', '-n', '100', '-F', ...files] : ['cat', ...files]);
}

/**
 * Runs a program (a shell where none is named) inside all the namespaces of a node.
 * @returns its exit code.
 */
export async function enterNode(
  lab: string,
  node: string,
  argv: readonly string[],
): Promise<number> {
  const { place } = requireLab(lab);
  const { initPid } = nodeOf(lab, node);
  if (initPid === undefined) {
    const message = `node ${node} has ended: its init is gone`;
    throw new Failure('node-dead', message, { definite: true });
  }
  const program = argv.length > 0 ? argv : ['/bin/bash', '-i'];
  const namespaces = ['--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup', '--root'];
  const env = {
    ...process.env,
    ...marksOf(place),
    HOME: '/root',
    TMPDIR: '/tmp',
    PATH: `${INSIDE.checkout}/lab:${process.env['PATH'] ?? ''}`,
    PS1: `${node}:\\w# `,
  };
  const nsenter = ['nsenter', '--target', String(initPid), ...namespaces, '--', ...program];
  const enter = join(import.meta.dirname, '..', '..', '..', 'lab', 'enter-cgroups.sh');
  return attached([enter, ...entrancesOf(place, node), '--', ...nsenter], env);
}
