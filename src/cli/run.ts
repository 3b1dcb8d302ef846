import { resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { reasonOf } from '../core/base/failure.ts';
import { joinedId } from '../core/schedule/fault-ids.ts';
import type { Scenario } from '../core/model/scenario.ts';
import { labUpCommand, otherThanAsked } from '../core/model/lab-layout.ts';
import { EXIT_CODES } from '../core/model/verdict.ts';
import type { NodeStatus } from '../core/model/fault-status.ts';
import type { Node, Topology } from '../core/model/topology.ts';
import type { RunStatus } from '../core/model/run.ts';
import { ProblemError, type HttpClient } from '../host/http-client.ts';
import { CliError } from './cli-error.ts';
import { exitWith, printJson, printLine, remark, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { argument, jsonFlag, remoteFlags, seedFlag, textFlag, type RemoteFlags } from './flags.ts';
import { labOf, withRemote } from './remote.ts';
import { followRun } from './run-follow.ts';
import { fetchHistory, fetchRun, resultLines, resultOf, writeResult } from './run-result.ts';
import { readScenario } from './scenario-file.ts';
import { DEFAULT_SEED } from './schedule.ts';

interface Flags extends RemoteFlags {
  readonly seed?: string;
  readonly duration?: string;
  readonly id?: string;
  readonly out?: string;
  readonly json: boolean;
}

/** What is executed, and where its results go. */
export interface Execution {
  scenario: Scenario;
  seed: string;
  /** Given: asked for with exactly this id. */
  id?: string;
  directory: string;
  /** The command that repeats it. */
  repro: string;
  json: boolean;
}

const MOST_RUNS_OF_A_SEED = 1_000;

/** Creates the run, under the first free id `<scenario>-<seed>`, `<scenario>-<seed>-again-2`, ... */
async function createRun(client: HttpClient, execution: Execution): Promise<RunStatus> {
  const { scenario, seed, id } = execution;
  for (let nth = 1; ; nth++) {
    const tail = nth === 1 ? seed : `${seed}-again-${nth}`;
    const request = { id: id ?? joinedId(scenario.name, tail), scenario, seed };
    try {
      const { status, body } = await client.call<RunStatus>('POST', '/v1/runs', { body: request });
      // 200: that one was executed before, and is over.
      if (status === 201 || id !== undefined) return body;
    } catch (error) {
      const taken = error instanceof ProblemError && error.details.conflictsWith === request.id;
      if (!taken || id !== undefined) throw error;
    }
    if (nth === MOST_RUNS_OF_A_SEED) return client.get<RunStatus>(`/v1/runs/${request.id}`);
  }
}

/** The nodes the coordinator knows: what the scenario's selectors are checked against. */
async function topologyOf(client: HttpClient): Promise<Topology> {
  const { nodes } = await client.get<{ nodes: NodeStatus[] }>('/v1/nodes');
  const named = nodes.map(({ name, addresses, roles, agent, listeners }): Node => ({
    name,
    addresses,
    roles: roles as Node['roles'],
    ...(agent === null ? {} : { agent }),
    ...(listeners && { listeners }),
  }));
  return { name: 'cluster', nodes: named };
}

/** A lab is asked for what the scenario says it needs; of another cluster it says nothing. */
function refuseOtherLab(scenario: Scenario, url: string): void {
  const asked = scenario.cluster?.lab;
  const lab = labOf(url);
  if (asked === undefined || lab === undefined) return;
  const others = otherThanAsked(asked, lab.size);
  if (others.length === 0) return;
  const message = `lab '${lab.name}' is not the one that '${scenario.name}' asks for (${others.join('; ')})`;
  throw new CliError(message, {
    exitCode: EXIT.usage,
    remedy: `'${labUpCommand(asked)}', or another 'cluster.lab' in the scenario`,
  });
}

/** Cancels a run because somebody pressed Ctrl-C, and waits until everything has healed. */
async function cancel(context: CliContext, client: HttpClient, id: string): Promise<void> {
  remark(context, `\nfaultline: cancelling run '${id}'; everything heals`);
  await client.post(`/v1/runs/${id}/cancel`);
  const calm = new AbortController();
  await followRun(context, client, id, calm.signal);
}

/**
 * Executes a scenario to its verdict and writes what came of it.
 * @returns the exit code of the verdict.
 */
export async function execute(
  context: CliContext,
  client: HttpClient,
  execution: Execution,
  signal: AbortSignal,
): Promise<number> {
  const { id } = await createRun(client, execution);
  remark(context, `run '${id}', seed ${execution.seed}`);
  try {
    await followRun(context, client, id, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    await cancel(context, client, id);
  }
  const onRemark = (line: string): void => remark(context, line);
  const material = await fetchRun(client, id, execution.repro);
  const report = await writeResult(material, execution.directory, onRemark);
  try {
    await fetchHistory(client, id, execution.directory);
  } catch (error) {
    onRemark(`faultline: the history could not be fetched: ${reasonOf(error)}`);
  }
  const result = resultOf(material, report);
  if (execution.json) printJson(context, result);
  else for (const line of resultLines(material, report)) printLine(context, line);
  return EXIT_CODES[result.verdict];
}

export const runCommand = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: 'Execute a scenario from a seed, to a verdict',
    fullDescription: withExamples(
      `Hands the scenario to the coordinator, which draws its schedule from the seed, runs its workload,
injects the faults, heals everything, waits for recovery, reads everything back and judges. The run
goes on if this command is killed; Ctrl-C cancels it, and everything heals.
Exit code 0: valid; 1: invalid (Kafka did something wrong); 2: unknown.`,
      [
        ['faultline run scenarios/demo.yaml --seed 7', 'on the only lab of this machine'],
        ['faultline run mine.yaml --coordinator https://c:7600 --token-file t', 'elsewhere'],
        ['faultline run mine.yaml --seed 7 --out results/7 --json', 'for a script'],
      ],
    ),
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [argument('FILE', 'the scenario, YAML or JSON; - reads standard input')],
    },
    flags: {
      ...remoteFlags,
      seed: seedFlag('where the faults are drawn from; default 1'),
      duration: textFlag('D', "in place of the scenario's own"),
      id: textFlag('ID', 'id of the run; asking again with it follows the same run'),
      out: textFlag('DIR', 'where report.html, verdict.json and history go; default ./<run>'),
      json: jsonFlag,
    },
  },
  async func(flags, file) {
    const signal = this.catchInterrupt();
    const code = await withRemote(this, flags, async (client) => {
      const topology = await topologyOf(client);
      const { scenario } = readScenario(file, { duration: flags.duration, topology });
      refuseOtherLab(scenario, client.url);
      const seed = flags.seed ?? DEFAULT_SEED;
      const duration = flags.duration === undefined ? '' : ` --duration ${flags.duration}`;
      const execution: Execution = {
        scenario,
        seed,
        directory: resolve(flags.out ?? `faultline-${scenario.name}-${seed}`),
        repro: `./faultline run ${file} --seed ${seed}${duration}`,
        json: flags.json,
      };
      if (flags.id !== undefined) execution.id = flags.id;
      return execute(this, client, execution, signal);
    });
    exitWith(this, code);
  },
});
