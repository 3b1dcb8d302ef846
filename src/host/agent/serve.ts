import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { pino, destination } from 'pino';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { AgentFaultStatus } from '../../core/model/fault-status.ts';
import { collectGarbage } from '../garbage.ts';
import type { TlsOptions } from '../http-server.ts';
import { parseListen } from '../http/listen.ts';
import { readTokenFile, tokenFileIn } from '../http/tokens.ts';
import type { TrogdorNode } from '../../core/trogdor/config.ts';
import { giveBackMemory } from '../libc.ts';
import { thisMachine } from '../this-machine.ts';
import type { TrogdorServer } from '../trogdor/serve.ts';
import { Agent, type AgentOptions } from './daemon.ts';
import { execFault, readFaultFile } from './exec-file.ts';

/** What `faultline agent` is called with. */
export interface AgentFlags {
  node: string;
  state: string;
  listen?: string;
  config?: string;
  cluster?: string;
  tokenFile?: string;
  insecure: boolean;
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  hostName?: string;
  /** Where to serve Trogdor's protocol, too: a port, or HOST:PORT. */
  trogdor?: string;
  trogdorConfig?: string;
  /** Shows states of Trogdor's workers when Trogdor would. */
  trogdorStrict?: boolean;
}

const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

function optionsOf(flags: AgentFlags, quiet: boolean): AgentOptions {
  if (!NODE_NAME.test(flags.node))
    throw new Failure('bad-node', `--node '${flags.node.slice(0, 80)}' is no node name`, {
      definite: true,
    });
  const level = process.env['FAULTLINE_LOG'] ?? (quiet ? 'warn' : 'info');
  const logger = pino({ level, base: { node: flags.node } }, destination({ fd: 2, sync: true }));
  return {
    node: flags.node,
    stateDirectory: flags.state,
    ...(flags.config === undefined ? {} : { configFile: flags.config }),
    ...(flags.cluster === undefined ? {} : { cluster: flags.cluster }),
    makeLinux: (config) => thisMachine(config.services, flags.state),
    logger,
    onBug: (error) => {
      // The state may be wrong: no more of it. The guard sees the pipe close, and heals.
      logger.fatal({ err: error }, 'a bug was found: the agent stops, its guard heals');
      process.exit(70);
    },
  };
}

function readPem(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure('bad-tls-file', `${flag} ${path}: ${reasonOf(error)}`, {
      definite: true,
      cause: error,
    });
  }
}

function tlsOf(flags: AgentFlags): TlsOptions | undefined {
  const { tlsCert, tlsKey, tlsCa } = flags;
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new Failure('bad-tls', '--tls-cert and --tls-key belong together', { definite: true });
  const tls: TlsOptions = {
    cert: readPem('--tls-cert', tlsCert),
    key: readPem('--tls-key', tlsKey),
  };
  if (tlsCa !== undefined) tls.clientCa = readPem('--tls-ca', tlsCa);
  return tls;
}

/** @throws Failure `bad-trogdor-config`: wrong, or without this node. */
async function trogdorNodesOf({ node, trogdorConfig }: AgentFlags): Promise<TrogdorNode[]> {
  if (trogdorConfig === undefined) return [];
  const { readTrogdorFile } = await import('../trogdor/config-file.ts');
  const nodes = readTrogdorFile(trogdorConfig);
  if (nodes.some(({ name }) => name === node)) return nodes;
  const says = `--trogdor-config ${trogdorConfig}: there is no node '${node}' in it`;
  throw new Failure('bad-trogdor-config', says, { definite: true });
}

/**
 * The daemon, until it is told to stop.
 * @param ready called with one line once the port is open.
 * @throws Failure: one clear line about what it lacks.
 */
export async function serveAgent(
  flags: AgentFlags,
  stopped: AbortSignal,
  ready: (line: string) => void,
): Promise<void> {
  const listen = parseListen(flags.listen ?? '127.0.0.1:7711');
  const tls = tlsOf(flags);
  const tokenFile =
    flags.tokenFile ?? process.env['FAULTLINE_TOKEN_FILE'] ?? tokenFileIn(flags.state);
  const tokens = readTokenFile(tokenFile);
  const options = optionsOf(flags, false);
  const trogdorNodes = await trogdorNodesOf(flags);
  const agent = await Agent.start(options);
  const shutdown = new AbortController();
  let door: TrogdorServer | undefined;
  try {
    const server = await agent.listen({
      listen,
      tokens,
      insecure: flags.insecure,
      ...(tls ? { tls } : {}),
      ...(flags.hostName === undefined ? {} : { hostNames: flags.hostName.split(',') }),
    });
    if (flags.trogdor !== undefined) {
      // An agent without it need not carry it in memory.
      const { doorWarning, openAgentDoor } = await import('../trogdor/open.ts');
      const { trogdor: at, insecure, node } = flags;
      const hostNames = flags.hostName?.split(',') ?? [];
      const strict = flags.trogdorStrict ?? false;
      const more = {
        trogdorNodes,
        strict,
        logger: options.logger,
        shutdown: () => shutdown.abort(),
      };
      door = await openAgentDoor({ at, insecure, hostNames, node, agent, ...more });
      ready(doorWarning(door.url));
    }
    ready(`faultline agent ${flags.node} is ready: ${server.url} (token file ${tokenFile})`);
    // Node writes it at a normal end only, and an agent may never have one: its next start costs less.
    flushCompileCache();
    void agent.probed.then(settle);
    const ended = AbortSignal.any([stopped, shutdown.signal]);
    if (!ended.aborted)
      await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
  } finally {
    await door?.close();
    await agent.stop();
  }
}

/** It lives for weeks: what only its start took is given back. */
function settle(): void {
  collectGarbage();
  giveBackMemory();
}

/** An agent without a port, for one task: all its needs are probed. @throws Failure: what it lacks. */
export async function startAgentOnly(flags: AgentFlags): Promise<Agent> {
  const agent = await Agent.start(optionsOf(flags, true));
  await agent.probed;
  settle();
  return agent;
}

/** No coordinator and no port: one fault from a file, to its end. */
export async function execAgent(
  flags: AgentFlags,
  path: string,
  interrupted: AbortSignal,
): Promise<AgentFaultStatus> {
  const request = readFaultFile(path);
  const agent = await Agent.start(optionsOf(flags, true));
  try {
    return await execFault(agent, path, request, interrupted);
  } finally {
    await agent.stop();
  }
}
