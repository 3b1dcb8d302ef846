import { spawn } from 'node:child_process';
import { copyFileSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { Failure } from '../../core/base/failure.ts';
import type { AgentConfig } from '../../core/model/agent-config.ts';
import type { Cluster } from '../../core/model/topology.ts';
import { bootstrapOf, isBroker, isServer, listenersOf } from './kafka-files.ts';
import { INSIDE, type LabPlace } from './place.ts';
import type { LabNode, LabRecord } from './record.ts';
import { marked } from './switch-namespace.ts';

export const AGENT_PORT = 7711;
const READY_TIMEOUT_MS = 20_000;

/** cluster.yaml of a lab: what a person would write for brokers that somebody else runs. */
export function clusterOf(record: LabRecord): Cluster {
  return {
    name: record.name,
    nodes: record.nodes.map((node) => ({
      name: node.name,
      ...(node.agent === null ? {} : { agent: node.agent }),
      addresses: node.address6 === null ? [node.address] : [node.address, node.address6],
      roles: node.roles,
      ...(isServer(node) ? { listeners: listenersOf(node), kafkaId: node.kafkaId } : {}),
    })),
    ...(record.nodes.some(isBroker) ? { kafka: { bootstrap: bootstrapOf(record.nodes) } } : {}),
  };
}

const flagged = (flags: Record<string, string>): string[] =>
  Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);

/** The agent's configuration and command line, as they are inside the node. */
export function writeAgentFiles(place: LabPlace, directory: string, node: LabNode): void {
  const start = { argv: [`${INSIDE.checkout}/lab/node-ctl`, 'start', 'broker'] };
  // A controller's service is called 'broker', too: what faults of processes mean unless told.
  const config: AgentConfig = isServer(node)
    ? { services: { broker: { match: { mainClass: 'kafka.Kafka' }, start } } }
    : {};
  const etc = join(directory, 'etc');
  writeFileSync(join(etc, 'agent.yaml'), stringify(config));
  copyFileSync(place.tokenFile, join(etc, 'token'));
  const inside = `${INSIDE.node}/etc`;
  const flags = {
    node: node.name,
    listen: `${node.address}:${AGENT_PORT}`,
    state: '/var/lib/faultline/agent',
    'token-file': `${inside}/token`,
    config: `${inside}/agent.yaml`,
  };
  const argv = [`${INSIDE.checkout}/faultline`, 'agent', '--insecure', ...flagged(flags)];
  writeFileSync(join(etc, 'agent.argv'), `${argv.join('\n')}\n`);
  writeFileSync(join(etc, 'agent.keep'), '');
}

/** A TCP port of the loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/**
 * Starts the lab's coordinator on the host and waits for its ready line.
 * @throws Failure 'coordinator-not-started' with the last lines of its log.
 */
export async function startCoordinator(place: LabPlace, root: string, port: number): Promise<void> {
  mkdirSync(place.coordinatorState, { recursive: true, mode: 0o700 });
  const out = openSync(place.coordinatorLog, 'a');
  const flags = {
    listen: `127.0.0.1:${port}`,
    state: place.coordinatorState,
    cluster: place.clusterFile,
    'token-file': place.tokenFile,
  };
  const child = spawn(join(root, 'faultline'), ['coordinator', ...flagged(flags)], {
    detached: true,
    // The first line of standard output says that the port is open.
    stdio: ['ignore', out, out],
    env: marked(place),
    cwd: '/',
  });
  closeSync(out);
  let ended = false;
  child.on('error', () => (ended = true));
  child.on('exit', () => (ended = true));
  child.unref();
  const until = performance.now() + READY_TIMEOUT_MS;
  while (!(await answers(`http://127.0.0.1:${port}/openapi.json`))) {
    if (ended || performance.now() > until) {
      const log = readFileSync(place.coordinatorLog, 'utf8').trimEnd();
      const last = log.split('\n').slice(-12).join('\n');
      throw new Failure('coordinator-not-started', `the coordinator did not start:\n${last}`, {
        definite: false,
      });
    }
    await sleep(50);
  }
}

/** Whether an HTTP server answers at all there: any status will do. */
export async function answers(url: string, timeoutMs = 1000): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    return true;
  } catch {
    // Refused, or silent: not yet.
    return false;
  }
}

/**
 * Has the agent's code compiled into the cache that all nodes share, once and by one process: else
 * every agent of a new checkout compiles for itself, and is 30 MB larger for as long as it lives.
 */
export function warmAgentCode(root: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(join(root, 'faultline'), ['agent', '--help'], { stdio: 'ignore' });
    // Where it cannot be started, the agents will say why.
    child.on('error', () => resolve());
    child.on('exit', () => resolve());
  });
}

/** Waits until the agents of all nodes answer. @throws Failure 'agent-not-started'. */
export async function waitForAgents(
  nodes: readonly LabNode[],
  lastLog: (node: string) => string,
): Promise<void> {
  const until = performance.now() + READY_TIMEOUT_MS;
  for (const node of nodes) {
    if (node.agent === null) continue;
    while (!(await answers(`${node.agent}/v1/capabilities`))) {
      if (performance.now() > until) {
        const message = `the agent of ${node.name} did not start:\n${lastLog(node.name)}`;
        throw new Failure('agent-not-started', message, { definite: false });
      }
      await sleep(50);
    }
  }
}
