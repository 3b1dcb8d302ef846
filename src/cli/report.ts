import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { checkSchema } from '../core/base/schema.ts';
import { Id } from '../core/model/topology.ts';
import { CliError } from './cli-error.ts';
import { printJson, printLine, remark, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { argument, jsonFlag, remoteFlags, textFlag, type RemoteFlags } from './flags.ts';
import { withRemote } from './remote.ts';
import { fetchHistory, fetchRun, verdictOf, writeResult, type RunMaterial } from './run-result.ts';

interface Flags extends RemoteFlags {
  readonly out?: string;
  readonly json: boolean;
}

async function fromCoordinator(context: CliContext, flags: Flags, run: string) {
  return withRemote(context, flags, async (client) => {
    const material = await fetchRun(client, run, `./faultline run FILE --id ${run}`);
    const { scenario, seed } = material.run;
    material.repro = `./faultline run ${scenario.name}.yaml --seed ${seed}`;
    const directory = resolve(flags.out ?? `faultline-${run}`);
    const onRemark = (line: string): void => remark(context, line);
    const report = await writeResult(material, directory, onRemark);
    await fetchHistory(client, run, directory);
    return { material, report };
  });
}

async function fromDirectory(context: CliContext, flags: Flags, directory: string) {
  const material = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as RunMaterial;
  const onRemark = (line: string): void => remark(context, line);
  return {
    material,
    report: await writeResult(material, resolve(flags.out ?? directory), onRemark),
  };
}

export const reportCommand = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: 'Write the report of a run again',
    fullDescription: withExamples(
      'Writes report.html and verdict.json from what the coordinator keeps of a run, or from the directory that a run wrote.',
      [
        ['faultline report demo-7 --out results', 'from the coordinator'],
        ['faultline report results', 'from a directory, without any daemon'],
      ],
    ),
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [argument('RUN', 'id of a run, or the directory it wrote')],
    },
    flags: { ...remoteFlags, out: textFlag('DIR', 'where it goes'), json: jsonFlag },
  },
  async func(flags, run) {
    const written = existsSync(join(run, 'run.json'));
    if (!written && !checkSchema(Id, run).ok) {
      throw new CliError(`'${run}' is neither the id of a run nor a directory that one wrote`, {
        exitCode: EXIT.noInput,
      });
    }
    const from = written ? fromDirectory : fromCoordinator;
    const { material, report } = await from(this, flags, run);
    if (report === undefined) {
      throw new CliError('the report could not be made', { exitCode: EXIT.unavailable });
    }
    if (flags.json) printJson(this, { report, verdict: verdictOf(material.run).verdict });
    else printLine(this, report);
  },
});
