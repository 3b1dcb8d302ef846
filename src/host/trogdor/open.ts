import { TROGDOR_AGENT_ROUTES, TROGDOR_COORDINATOR_ROUTES } from '../../core/trogdor/routes.ts';
import type { TrogdorNode } from '../../core/trogdor/config.ts';
import { reasonOf } from '../../core/base/failure.ts';
import type { NodeName } from '../../core/model/topology.ts';
import type { Agent } from '../agent/daemon.ts';
import type { Coordinator } from '../coordinator/coordinator.ts';
import { parseListen, urlHost, type ListenAddress } from '../http/listen.ts';
import { agentDoor } from './agent-door.ts';
import { AgentWorkers } from './agent-workers.ts';
import { coordinatorDoor } from './coordinator-door.ts';
import { CoordinatorTasks } from './coordinator-tasks.ts';
import { ForeignAgents } from './foreign-agents.ts';
import { serveTrogdor, type TrogdorLogger, type TrogdorServer } from './serve.ts';
import { TrogdorError } from './trogdor-error.ts';

const AGENT_TIMEOUT_MS = 5_000;

interface DoorOptions {
  /** A port (loopback; with `insecure` all interfaces), or HOST:PORT. */
  at: string;
  /** Allows more than loopback. */
  insecure: boolean;
  /** Further names this daemon is called by. */
  hostNames: readonly string[];
  trogdorNodes: readonly TrogdorNode[];
  logger: TrogdorLogger;
  /** Shows states when Trogdor would, not when they are true. */
  strict?: boolean;
  /** Asked for the daemon's end. */
  shutdown: () => void;
}

/** Reads --trogdor. @throws Failure `bad-listen-address` */
function listenOf({ at, insecure }: DoorOptions): ListenAddress {
  if (!/^[0-9]{1,5}$/.test(at)) return parseListen(at);
  return parseListen(`${insecure ? '0.0.0.0' : '127.0.0.1'}:${at}`);
}

/** Peers call a daemon by what trogdor.conf calls its host. */
function namesOf({ hostNames, trogdorNodes }: DoorOptions): string[] {
  return [...hostNames, ...trogdorNodes.map(({ hostname }) => hostname)];
}

/** What a daemon says at its start: nobody is asked who they are. */
export function doorWarning(url: string): string {
  const says = 'without authentication: whoever reaches it may inject faults';
  return `Trogdor's protocol is served at ${url}, ${says}`;
}

export interface CoordinatorDoorOptions extends DoorOptions {
  coordinator: Coordinator;
}

/** Those that have an agent, but none of ours. */
function foreignNodes({ coordinator, trogdorNodes }: CoordinatorDoorOptions): TrogdorNode[] {
  const { nodes } = coordinator.topology;
  const own = nodes.filter(({ agent }) => agent !== undefined).map(({ name }) => name);
  return trogdorNodes.filter(({ name, agentPort }) => agentPort > 0 && !own.includes(name));
}

/** @throws Failure: port taken, or not allowed to listen. */
export async function openCoordinatorDoor(options: CoordinatorDoorOptions): Promise<TrogdorServer> {
  const { coordinator } = options;
  // What it can do is known a moment later than itself: a fault may choose its way by that.
  const isLinked = (node: NodeName): boolean =>
    coordinator.state.links.get(node)?.complete === true &&
    coordinator.links.get(node)?.capabilities !== undefined;
  const foreign = new ForeignAgents(foreignNodes(options));
  const tasks = new CoordinatorTasks(coordinator, isLinked, {
    foreign,
    strict: options.strict ?? false,
  });
  const handlers = coordinatorDoor(tasks, {
    serverStartMs: Date.now(),
    shutdown: async (stopAgents) => {
      if (stopAgents) await stopAll(options.trogdorNodes);
      // After the answer has gone out.
      setImmediate(options.shutdown);
    },
  });
  const server = await serveTrogdor({
    ...options,
    routes: TROGDOR_COORDINATOR_ROUTES,
    handlers,
    listen: listenOf(options),
    hostNames: namesOf(options),
  });
  tasks.start();
  const close = async (): Promise<void> => {
    tasks.close();
    await server.close();
  };
  return { url: server.url, close };
}

/** Tells the agents of trogdor.conf to end, by their own door. @throws TrogdorError 400, 502 */
async function stopAll(nodes: readonly TrogdorNode[]): Promise<void> {
  if (nodes.length === 0)
    throw new TrogdorError(400, 'stopAgents: without --trogdor-config nobody knows where they are');
  const failed: string[] = [];
  await Promise.all(
    nodes
      .filter(({ agentPort }) => agentPort > 0)
      .map(async ({ name, hostname, agentPort }) => {
        const url = `http://${urlHost(hostname)}:${agentPort}/agent/shutdown`;
        try {
          const signal = AbortSignal.timeout(AGENT_TIMEOUT_MS);
          const answer = await fetch(url, { method: 'PUT', signal });
          if (!answer.ok) failed.push(`${name}: ${answer.status}`);
        } catch (error) {
          failed.push(`${name}: ${reasonOf(error)}`);
        }
      }),
  );
  if (failed.length > 0)
    throw new TrogdorError(502, `not all agents could be stopped: ${failed.join('; ')}`);
}

/** @throws Failure: port taken, or not allowed to listen. */
export async function openAgentDoor(
  options: DoorOptions & { node: string; agent: Agent },
): Promise<TrogdorServer> {
  const { node, agent, trogdorNodes } = options;
  const { driver, probed, workloads } = agent;
  const strict = options.strict ?? false;
  const workers = new AgentWorkers({
    node,
    driver,
    workloads,
    probed,
    nodes: trogdorNodes,
    strict,
  });
  const handlers = agentDoor(workers, {
    serverStartMs: Date.now(),
    shutdown: () => void setImmediate(options.shutdown),
  });
  return serveTrogdor({
    ...options,
    routes: TROGDOR_AGENT_ROUTES,
    handlers,
    listen: listenOf(options),
    hostNames: namesOf(options),
  });
}
