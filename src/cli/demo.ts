import { randomInt } from 'node:crypto';
import { join, resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { reasonOf } from '../core/base/failure.ts';
import { HttpClient } from '../host/http-client.ts';
import { firstToken } from '../host/http/tokens.ts';
import { labActions } from '../host/lab/actions.ts';
import { CliError } from './cli-error.ts';
import { exitWith, remark, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { jsonFlag, seedFlag, switchFlag, textFlag } from './flags.ts';
import { LAB_BROKERS } from '../core/model/lab-layout.ts';
import { execute, type Execution } from './run.ts';
import { readScenario } from './scenario-file.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** What `--unsafe` may be, and the scenario it stands for. */
const UNSAFE: Readonly<Record<string, string>> = { 'acks=1': 'unsafe-acks-1.yaml' };

interface Flags {
  readonly yes: boolean;
  readonly seed?: string;
  readonly duration?: string;
  readonly unsafe?: string;
  readonly out?: string;
  readonly name: string;
  readonly keep: boolean;
  readonly json: boolean;
}

function scenarioOf(unsafe: string | undefined): string {
  const file = unsafe === undefined ? 'demo.yaml' : UNSAFE[unsafe];
  if (file !== undefined) return join(ROOT, 'scenarios', file);
  throw new CliError(`there is no unsafe scenario '${unsafe}'`, {
    exitCode: EXIT.usage,
    remedy: `one of ${Object.keys(UNSAFE).join(', ')}`,
  });
}

function reproOf(flags: Flags, seed: string): string {
  const words = ['./run demo', `--seed ${seed}`];
  if (flags.unsafe !== undefined) words.push(`--unsafe ${flags.unsafe}`);
  if (flags.duration !== undefined) words.push(`--duration ${flags.duration}`);
  return words.join(' ');
}

/** The scenario in a lab of its own, which is taken down whatever comes. @returns the exit code. */
async function demonstrate(
  context: CliContext,
  flags: Flags,
  execution: Execution,
): Promise<number> {
  const signal = context.catchInterrupt();
  const labs = labActions(ROOT);
  const say = (line: string): void => remark(context, `lab: ${line}`);
  const { name } = flags;
  const asked = { brokers: LAB_BROKERS, ...execution.scenario.cluster?.lab };
  const options = { ...asked, name, clients: 1, agents: true, coordinator: true, say, signal };
  const lab = await labs.up(options);
  try {
    if (lab.coordinator === null)
      throw new CliError('the lab has no coordinator', { exitCode: EXIT.bug });
    const { url, tokenFile } = lab.coordinator;
    const client = new HttpClient({ url, token: firstToken(tokenFile) });
    return await execute(context, client, execution, signal);
  } finally {
    if (flags.keep) {
      remark(context, `lab '${name}' stays; 'faultline lab down --name ${name}' takes it down`);
    } else {
      await labs.down(name);
      say(`'${name}' is down`);
    }
  }
}

export const demoCommand = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'A lab, a run with faults from a seed, a verdict and a report: everything at once',
    fullDescription: withExamples(
      `Brings up a real Kafka cluster in namespaces on this machine, runs a scenario with faults drawn
from a seed against it, judges what the cluster did, writes a report, and takes everything down
again. Needs root, and takes under three minutes.
Exit code 0: valid; 1: invalid (acknowledged records were lost, ...); 2: unknown.`,
      [
        ['faultline demo', 'with a seed of its own, which it prints'],
        ['faultline demo --seed 7', 'the same faults again'],
        ['faultline demo --unsafe acks=1', 'a setting that loses acknowledged records'],
        ['faultline demo --seed 7 --out results --json', 'for a script: the last line is JSON'],
      ],
    ),
  },
  parameters: {
    flags: {
      yes: switchFlag('do not ask before anything is installed (./run demo asks)'),
      seed: seedFlag('where the faults are drawn from; default: a new one'),
      duration: textFlag('D', 'how long faults and load last; default 60s'),
      unsafe: textFlag('SETTING', `an unsafe setting: ${Object.keys(UNSAFE).join(', ')}`),
      out: textFlag('DIR', 'where the report goes; default ./faultline-demo-SEED'),
      name: { ...textFlag('NAME', 'name of the lab'), default: 'demo', optional: false },
      keep: switchFlag('leave the lab up'),
      json: jsonFlag,
    },
  },
  async func(flags) {
    const { scenario } = readScenario(scenarioOf(flags.unsafe), { duration: flags.duration });
    const seed = flags.seed ?? String(randomInt(2 ** 32));
    const execution: Execution = {
      scenario,
      seed,
      directory: resolve(flags.out ?? `faultline-${scenario.name}-${seed}`),
      repro: reproOf(flags, seed),
      json: flags.json,
    };
    const signal = this.catchInterrupt();
    try {
      exitWith(this, await demonstrate(this, flags, execution));
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new CliError(`interrupted: ${reasonOf(signal.reason)}`, {
        exitCode: EXIT.interrupted,
        cause: error,
      });
    }
  },
});
