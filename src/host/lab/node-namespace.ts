import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/base/failure.ts';
import { leaveRootOfNode, makeCgroups } from './cgroups.ts';
import { nodeDirectory, type LabPlace } from './place.ts';
import type { LabNode } from './record.ts';
import { inSwitch, marked } from './switch-namespace.ts';
import { birthTicks } from '../boot-clock.ts';

const NAMESPACES = ['--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup'];
const START_TIMEOUT_MS = 15_000;

/** The directories and files that a node's init expects (lab/node-init.sh). */
export function makeNodeFiles(place: LabPlace, node: LabNode, hosts: string): string {
  const directory = nodeDirectory(place, node.name);
  for (const part of ['etc', 'state', 'replies', 'stage', 'log', 'mnt', 'tmp']) {
    mkdirSync(join(directory, part), { recursive: true });
  }
  for (const part of ['kafka', 'faultline']) {
    mkdirSync(join(directory, 'var-lib', part), { recursive: true });
  }
  execFileSync('chmod', ['1777', join(directory, 'tmp')]);
  execFileSync('mkfifo', ['-m', '600', join(directory, 'control')]);
  writeFileSync(join(directory, 'etc', 'hosts'), hosts);
  return directory;
}

/** What a node's init says of itself or of a service: 'running 12', 'ended 143', or nothing yet. */
export function stateOf(place: LabPlace, node: string, what: string): string {
  try {
    return readFileSync(join(nodeDirectory(place, node), 'state', what), 'utf8').trim();
  } catch {
    // Not written yet, or the lab is gone: both are 'nothing known'.
    return '';
  }
}

/** The pid of a node's init as the host numbers it, if it is alive. */
export function initPidOf(place: LabPlace, node: string): number | undefined {
  const pid = Number(stateOf(place, node, 'init'));
  return pid > 0 && birthTicks(pid) !== undefined ? pid : undefined;
}

/** The end of a log, or nothing where there is none. */
export function lastLines(path: string, count = 12): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    // Nothing was logged.
    return '';
  }
}

export interface NodeMounts {
  checkout: string;
  kafka: string;
}

/**
 * Starts the init of a node in namespaces of its own and waits until it knows its pid. Ends with
 * the init: the kernel kills what is in its PID namespace, and its other namespaces go with them.
 */
async function startInit(place: LabPlace, node: LabNode, mounts: NodeMounts): Promise<number> {
  const directory = nodeDirectory(place, node.name);
  const log = openSync(join(directory, 'log', 'init.log'), 'a');
  const init = join(mounts.checkout, 'lab', 'node-init.sh');
  const make = ['unshare', ...NAMESPACES, '--fork', '--kill-child', '--propagation', 'private'];
  const enter = join(mounts.checkout, 'lab', 'enter-cgroups.sh');
  const groups = makeCgroups(place, node.name);
  const child = spawn(enter, [...groups, '--', ...make, init], {
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...marksOf(place),
      LAB_NODE: node.name,
      LAB_NODE_DIR: directory,
      LAB_CHECKOUT: mounts.checkout,
      LAB_KAFKA: mounts.kafka,
      LAB_ADDRESS: `${node.address}/24`,
      LAB_ADDRESS6: node.address6 === null ? '' : `${node.address6}/64`,
    },
  });
  closeSync(log);
  let problem: Error | undefined;
  let ended = false;
  child.on('error', (error) => (problem = error));
  child.on('exit', () => (ended = true));
  child.unref();
  const until = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const pid = initPidOf(place, node.name);
    if (pid !== undefined) {
      leaveRootOfNode(place, node.name, [child.pid ?? 0, pid]);
      return pid;
    }
    if (problem !== undefined || ended || performance.now() > until) {
      const why = problem?.message ?? lastLines(join(directory, 'log', 'init.log'));
      throw new Failure('node-not-started', `node ${node.name} did not start: ${why}`, {
        definite: false,
        cause: problem,
      });
    }
    await sleep(10);
  }
}

/** The mark of a lab, alone. */
export function marksOf(place: LabPlace): NodeJS.ProcessEnv {
  const { FAULTLINE_LAB } = marked(place);
  return { FAULTLINE_LAB };
}

/** Starts the inits of all nodes and plugs each into the switch. */
export async function startNodes(
  place: LabPlace,
  nodes: readonly LabNode[],
  mounts: NodeMounts,
): Promise<void> {
  const pids = await Promise.all(nodes.map((node) => startInit(place, node, mounts)));
  const lines = nodes.flatMap((_, index) => [
    `link add ${portOf(index)} type veth peer name eth0 netns ${pids[index]}`,
    `link set ${portOf(index)} master br0`,
    `link set ${portOf(index)} up`,
  ]);
  await inSwitch(place, lines);
  await Promise.all(nodes.map((node) => ready(place, node)));
}

const portOf = (index: number): string => `port${index + 1}`;

async function ready(place: LabPlace, node: LabNode): Promise<void> {
  const until = performance.now() + START_TIMEOUT_MS;
  while (stateOf(place, node.name, 'ready') !== 'yes') {
    if (initPidOf(place, node.name) === undefined || performance.now() > until) {
      const log = join(nodeDirectory(place, node.name), 'log', 'init.log');
      throw new Failure('node-not-ready', `node ${node.name} failed: ${lastLines(log)}`, {
        definite: false,
      });
    }
    await sleep(10);
  }
}
