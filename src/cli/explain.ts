import { buildCommand } from '@stricli/core';
import { formatDuration } from '../core/base/duration.ts';
import {
  explainFault,
  type ExplainedFault,
  type ExplainedNode,
} from '../core/coordinator/explain.ts';
import { scheduleOf } from '../core/coordinator/schedule-of.ts';
import { idInRun } from '../core/schedule/fault-ids.ts';
import type { FaultStatus } from '../core/model/fault-status.ts';
import type { Schedule } from '../core/model/scenario.ts';
import { printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { argument, jsonFlag, remoteFlags, seedFlag, textFlag, type RemoteFlags } from './flags.ts';
import { withRemote } from './remote.ts';
import { readScenario } from './scenario-file.ts';
import { DEFAULT_SEED, describeParams } from './schedule.ts';
import { faultLines } from './fault-text.ts';

interface Flags extends RemoteFlags {
  readonly seed?: string;
  readonly cluster?: string;
  readonly duration?: string;
  readonly json: boolean;
}

function indented(text: string, by: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `${by}${line}`);
}

function stepLines(step: ExplainedNode['steps'][number]): string[] {
  const after = step.afterMs === undefined ? '' : ` (${formatDuration(step.afterMs)} later)`;
  return [
    `    do${after}: ${step.does}`,
    ...(step.rules === undefined ? [] : indented(step.rules, '      | ')),
    `    undo: ${step.undo}`,
    ...(step.undoRules === undefined ? [] : indented(step.undoRules, '      | ')),
  ];
}

function explainedLines(explained: ExplainedFault): string[] {
  const { fault, needs, blastRadius, nodes, standIn, summary } = explained;
  const whom = typeof fault.targets === 'string' ? fault.targets : fault.targets?.join(', ');
  const length =
    fault.durationMs === undefined ? 'once' : `for ${formatDuration(fault.durationMs)}`;
  const lines = [
    `${formatDuration(fault.atMs)}  ${fault.id}: ${fault.kind} ${describeParams(fault.params)}`.trimEnd(),
    `  ${summary}`,
    `  ${length}; targets ${whom ?? 'named by its parameters'}; needs ${needs.map((set) => set.join(' and ') || 'nothing').join(', or ')}`,
    `  may harm ${blastRadius?.join(', ') ?? 'whom the selector names then'}`,
  ];
  if (standIn)
    lines.push('  (the selector needs the live cluster; one broker stands for whom it names)');
  for (const { node, steps, problems } of nodes) {
    lines.push(`  on ${node}:`);
    for (const step of steps) lines.push(...stepLines(step));
    for (const problem of problems) lines.push(`    cannot: ${problem}`);
    if (steps.length + problems.length === 0) lines.push('    nothing');
  }
  return lines;
}

/** Asks a coordinator to plan every fault on its nodes: real pids, real addresses; touches nothing. */
async function dryRuns(
  context: CliContext,
  flags: Flags,
  schedule: Schedule,
): Promise<FaultStatus[]> {
  return withRemote(context, flags, async (client) => {
    const planned: FaultStatus[] = [];
    for (const [index, fault] of schedule.faults.entries()) {
      const { kind, targets, params, durationMs, override } = fault;
      const request = {
        id: idInRun(`explain-${Date.now().toString(36)}`, index + 1),
        kind,
        params,
        ...(targets === undefined ? {} : { targets }),
        ...(durationMs === undefined ? {} : { duration: formatDuration(durationMs) }),
        ...(override === undefined ? {} : { override }),
      };
      planned.push(
        await client.post<FaultStatus>('/v1/faults', request, { query: { dryRun: 'true' } }),
      );
    }
    return planned;
  });
}

export const explainCommand = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: 'Every rule and command a scenario would apply, with its undo',
    fullDescription: withExamples(
      `Draws the schedule and shows what each fault would do on each node: the acts, the rules in the
kernel's own language, the undo of each, what it needs, and whom it may harm. Touches nothing. Pids
and the like are imagined; with --coordinator its agents are asked, and plan with real ones.`,
      [
        ['faultline explain scenarios/demo.yaml --seed 7', 'without any cluster'],
        [
          'faultline explain mine.yaml --coordinator http://127.0.0.1:7600',
          'as the agents plan it',
        ],
      ],
    ),
  },
  parameters: {
    positional: { kind: 'tuple', parameters: [argument('FILE', 'the scenario, YAML or JSON')] },
    flags: {
      ...remoteFlags,
      seed: seedFlag('where the faults are drawn from; default 1'),
      cluster: textFlag('FILE', 'a cluster.yaml in place of what the scenario names'),
      duration: textFlag('D', "in place of the scenario's own"),
      json: jsonFlag,
    },
  },
  async func(flags, file) {
    const options = { clusterFile: flags.cluster, duration: flags.duration };
    const { scenario, topology } = readScenario(file, options);
    const schedule = scheduleOf(scenario, flags.seed ?? DEFAULT_SEED, topology);
    if (flags.coordinator !== undefined) {
      const planned = await dryRuns(this, flags, schedule);
      if (flags.json) return printJson(this, { schedule, planned });
      for (const fault of planned) for (const line of faultLines(fault)) printLine(this, line);
      return;
    }
    const faults = schedule.faults.flatMap((fault) => explainFault(fault, topology) ?? []);
    if (flags.json) return printJson(this, { schedule, faults });
    for (const explained of faults) {
      for (const line of explainedLines(explained)) printLine(this, line);
      printLine(this);
    }
  },
});
