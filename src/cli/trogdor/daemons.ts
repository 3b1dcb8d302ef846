import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../core/base/failure.ts';
import { readSpec, shownSpec } from '../../core/trogdor/spec.ts';
import { parseExactJson } from '../../core/trogdor/json.ts';
import { describeProblem } from '../../core/base/problem.ts';
import { TROGDOR_AGENT_PORT, type TrogdorNode } from '../../core/trogdor/config.ts';
import { serveAgent, startAgentOnly } from '../../host/agent/serve.ts';
import { listForJcmd } from '../../host/compat/listed-by-jcmd.ts';
import { isLoopback } from '../../host/http/listen.ts';
import { tokenFileIn } from '../../host/http/tokens.ts';
import { AgentWorkers } from '../../host/trogdor/agent-workers.ts';
import { readTrogdorFile } from '../../host/trogdor/config-file.ts';
import { doorWarning } from '../../host/trogdor/open.ts';
import { readOptions, specText, TrogdorCliError, type Options } from './arguments.ts';
import { only, type Print } from './command.ts';
import { prettyJson } from './format.ts';
import { coordinatorState, forgetOtherStates } from './state.ts';

const COORDINATOR_PORT = 8889;
const POLL_MS = 100;

function daemonOptions(role: 'agent' | 'coordinator'): Options {
  return {
    [`${role}.config`]: {
      short: 'c',
      required: true,
      says: 'the configuration file, trogdor.conf',
    },
    'node-name': { short: 'n', required: true, says: 'the name of this node' },
    ...(role === 'agent'
      ? { exec: { short: 'e', says: 'carry out one task spec (or a path to it), and end' } }
      : {}),
  };
}

interface Place {
  config: string;
  node: TrogdorNode;
  nodes: readonly TrogdorNode[];
  state: string;
  /** What our own agents and their coordinator trust each other by. */
  tokenFile: string;
}

/**
 * Trogdor's command lines know no tokens: the daemons of one machine share one that is made once; those
 * of several are given the same. It is made of nothing that others could know, because who has it may do
 * all that our own API does, which is far more than Trogdor's open port allows.
 */
function placeOf(role: 'agent' | 'coordinator', config: string, name: string): Place {
  const nodes = readTrogdorFile(config);
  const node = nodes.find((one) => one.name === name);
  if (!node) throw new TrogdorCliError(`${config}: there is no node '${name}' in it`);
  const root = process.env['FAULTLINE_STATE'] ?? '/var/lib/faultline';
  const state = join(root, `trogdor-${role}-${name}`);
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const tokenFile = process.env['FAULTLINE_TOKEN_FILE'] ?? tokenFileIn(join(root, 'trogdor'));
  return { config, node, nodes, state, tokenFile };
}

/** What has to be done by hand where agents are on other hosts; undefined: nothing. */
function tokenNote({ nodes, tokenFile }: Place): string | undefined {
  const ours = nodes.filter(({ agentPort, ownAgentPort }) => agentPort > 0 && ownAgentPort > 0);
  const far = ours.filter(({ hostname }) => !isLoopback(hostname));
  if (far.length === 0) return undefined;
  const names = far.map(({ name }) => name).join(', ');
  const how = 'copy it there, or set FAULTLINE_TOKEN_FILE';
  return `${names}: their agents must have the token of ${tokenFile} (${how})`;
}

/** As Trogdor all interfaces, but where the node is called by a loopback name nobody else could come. */
function interfaceOf({ hostname }: TrogdorNode): string {
  return isLoopback(hostname) ? '127.0.0.1' : '0.0.0.0';
}

/** The file that log4j's configuration of the caller's names: where scripts look for the line. */
function logFile(): string | undefined {
  const options = process.env['KAFKA_LOG4J_OPTS'] ?? '';
  const path = /-Dlog4j2?\.configuration(?:File)?=(?:file:(?:\/\/)?)?(\S+)/.exec(options)?.[1];
  if (path === undefined) return undefined;
  try {
    const text = readFileSync(path, 'utf8');
    const named = /^\s*(?:log4j\.appender\.[^.=]+\.File\s*=|fileName:)\s*"?([^"\n]+?)"?\s*$/m;
    return named.exec(text)?.[1];
  } catch {
    // No such configuration: then standard output is all there is.
    return undefined;
  }
}

const javaName = (role: 'agent' | 'coordinator'): string =>
  `org.apache.kafka.trogdor.${role}.${role[0]?.toUpperCase()}${role.slice(1)}`;

/** Scripts find Trogdor's daemons with jcmd. @returns ends it */
function listed(role: 'agent' | 'coordinator', argv: readonly string[]): () => void {
  try {
    return listForJcmd([javaName(role), ...argv].join(' '));
  } catch (error) {
    process.stderr.write(`trogdor: jcmd will not list this process: ${reasonOf(error)}\n`);
    return () => undefined;
  }
}

/** Says that it serves, where scripts wait for it. */
function announce(role: 'agent' | 'coordinator', print: Print): void {
  const line = `Starting ${role} process.`;
  print(`${line}\n`);
  const file = logFile();
  if (file === undefined) return;
  try {
    const at = new Date().toISOString().replace('T', ' ').replace('.', ',').replace('Z', '');
    appendFileSync(file, `[${at}] INFO ${line} (${javaName(role)})\n`);
  } catch (error) {
    process.stderr.write(`trogdor: ${file}: ${reasonOf(error)}\n`);
  }
}

/** The agent's own configuration, of which Trogdor's command lines know nothing. */
function ownConfig(): { config?: string } {
  const config = process.env['FAULTLINE_AGENT_CONFIG'];
  return config === undefined ? {} : { config };
}

const isStrict = (): boolean => process.env['FAULTLINE_TROGDOR_STRICT'] === '1';

export async function agent(argv: readonly string[], print: Print, stop: AbortSignal) {
  const given = readOptions('trogdor-agent', argv, daemonOptions('agent'));
  const place = placeOf('agent', only(given, 'agent.config'), only(given, 'node-name'));
  const spec = only(given, 'exec');
  if (spec !== '') return execute(place, specText(spec), print, stop);
  const { node, config, state, tokenFile } = place;
  const flags = {
    node: node.name,
    state,
    ...ownConfig(),
    listen: `${interfaceOf(node)}:${node.ownAgentPort}`,
    tokenFile,
    insecure: true,
    hostName: node.hostname,
    trogdor: `${interfaceOf(node)}:${node.agentPort || TROGDOR_AGENT_PORT}`,
    trogdorConfig: config,
    trogdorStrict: isStrict(),
  };
  const unlist = listed('agent', argv);
  try {
    await serveAgent(flags, stop, (line) => {
      process.stderr.write(`${line}\n`);
      if (line.includes(' is ready: ')) announce('agent', print);
    });
  } finally {
    unlist();
  }
  return 0;
}

export async function coordinator(argv: readonly string[], print: Print, stop: AbortSignal) {
  const given = readOptions('trogdor-coordinator', argv, daemonOptions('coordinator'));
  const config = only(given, 'coordinator.config');
  const place = placeOf('coordinator', config, only(given, 'node-name'));
  const { node, tokenFile } = place;
  const state = coordinatorState(place.state, config);
  const unlist = listed('coordinator', argv);
  const shutdown = new AbortController();
  // With Kafka's library and the front door of tasks: an agent, which stays for weeks, is not to carry them.
  const { startCoordinator } = await import('../../host/coordinator/serve.ts');
  const served = await startCoordinator(
    {
      state,
      listen: process.env['FAULTLINE_LISTEN'] ?? '127.0.0.1:7700',
      tokenFile,
      insecure: true,
      trogdor: `${interfaceOf(node)}:${node.coordinatorPort ?? COORDINATOR_PORT}`,
      trogdorConfig: config,
      trogdorStrict: isStrict(),
    },
    { shutdown: () => shutdown.abort() },
  );
  forgetOtherStates(place.state, state);
  const said = [doorWarning(served.trogdorUrl ?? ''), tokenNote(place) ?? []].flat();
  process.stderr.write(said.map((line) => `${line}\n`).join(''));
  announce('coordinator', print);
  const ended = AbortSignal.any([stop, shutdown.signal]);
  if (!ended.aborted)
    await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
  await served.close();
  unlist();
  return 0;
}

/** One task without a coordinator, on this node. */
async function execute(place: Place, text: string, print: Print, stop: AbortSignal) {
  const parsed = parseExactJson(text);
  const read = readSpec(parsed.ok ? parsed.value : undefined);
  if ('unknownClass' in read) throw new TrogdorCliError(describeProblem(read.unknownClass));
  if (!read.ok) throw new TrogdorCliError(read.problems.map(describeProblem).join('\n'));
  const { node, state, nodes } = place;
  const running = await startAgentOnly({ node: node.name, state, ...ownConfig(), insecure: false });
  try {
    const { driver, probed, workloads } = running;
    const workers = new AgentWorkers({ node: node.name, driver, workloads, probed, nodes });
    const spec = { ...read.value, startMs: Math.max(read.value.startMs, Date.now()) };
    print(`Waiting for completion of task:${prettyJson(shownSpec(spec, spec.startMs))}\n`);
    await workers.create({ workerId: '0', taskId: 'task0', spec }, '127.0.0.1');
    for (;;) {
      const worker = workers.states()['0'] as { state: string; status: unknown; error?: string };
      if (worker.state === 'DONE') {
        const status = JSON.stringify(worker.status);
        if (worker.error === undefined) print(`Task succeeded with status ${status}\n`);
        else print(`Task failed with status ${status} and error ${worker.error}\n`);
        await workers.destroy('0');
        return worker.error === undefined ? 0 : 1;
      }
      if (stop.aborted) await workers.stop('0');
      await sleep(POLL_MS);
    }
  } finally {
    await running.stop();
  }
}
