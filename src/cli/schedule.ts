import { buildCommand } from '@stricli/core';
import { formatDuration } from '../core/base/duration.ts';
import { scheduleOf } from '../core/coordinator/schedule-of.ts';
import type { Schedule, ScheduledFault } from '../core/model/scenario.ts';
import { scheduleBytes } from '../core/schedule/schedule-bytes.ts';
import { simulate } from '../core/schedule/simulate.ts';
import { printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { argument, jsonFlag, seedFlag, textFlag } from './flags.ts';
import { readScenario } from './scenario-file.ts';
import { table } from './table.ts';

interface Flags {
  readonly seed?: string;
  readonly cluster?: string;
  readonly duration?: string;
  readonly json: boolean;
}

/** What a scenario without a seed means: always the same. */
export const DEFAULT_SEED = '1';

/** `isolate n2`: what a fault of a schedule does, as short as can be. */
export function describeParams(params: Record<string, unknown>): string {
  const parts = Object.entries(params).map(([name, value]) =>
    typeof value === 'string' ? `${name}=${value}` : `${name}=${JSON.stringify(value)}`,
  );
  return parts.join(' ');
}

function row(fault: ScheduledFault): string[] {
  const targets = typeof fault.targets === 'string' ? fault.targets : fault.targets?.join(' | ');
  return [
    formatDuration(fault.atMs),
    fault.durationMs === undefined ? 'once' : formatDuration(fault.durationMs),
    fault.kind,
    targets ?? '-',
    describeParams(fault.params),
  ];
}

/** The schedule for people: a table, then how full it is. */
export function scheduleText(schedule: Schedule): string {
  const occupied = simulate(schedule);
  const rows = [['AT', 'FOR', 'KIND', 'TARGETS', 'PARAMETERS'], ...schedule.faults.map(row)];
  const quiet = formatDuration(occupied.quietMs);
  const drawn = schedule.kinds.length === 0 ? '' : `; drawn from ${schedule.kinds.join(', ')}`;
  return [
    `scenario ${schedule.scenario}, seed ${schedule.seed}, ${formatDuration(schedule.durationMs)}${drawn}`,
    table(rows),
    `${schedule.faults.length} faults, at most ${occupied.most} at once, ${quiet} without any`,
  ].join('\n');
}

export const scheduleCommand = buildCommand<Flags, [string], CliContext>({
  docs: {
    brief: 'Print the schedule a seed makes, without running anything',
    fullDescription: withExamples(
      `Draws the faults of a scenario from a seed and prints them: what, where, when, for how long.
No cluster is needed and nothing is touched. The same version, scenario and seed give the same
bytes with --json. Without a cluster file the nodes are those a lab would have: n1, n2, n3, c1.`,
      [
        ['faultline schedule scenarios/demo.yaml --seed 7', 'what seed 7 would do'],
        ['faultline schedule scenarios/demo.yaml --seed 7 --json | jq .faults', 'for a script'],
        ['faultline schedule mine.yaml --cluster cluster.yaml', 'on the nodes of a real cluster'],
      ],
    ),
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [argument('FILE', 'the scenario, YAML or JSON; - reads standard input')],
    },
    flags: {
      seed: seedFlag('where the faults are drawn from; default 1'),
      cluster: textFlag('FILE', 'a cluster.yaml in place of what the scenario names'),
      duration: textFlag('D', "in place of the scenario's own"),
      json: jsonFlag,
    },
  },
  func(flags, file) {
    const options = { clusterFile: flags.cluster, duration: flags.duration };
    const { scenario, topology } = readScenario(file, options);
    const schedule = scheduleOf(scenario, flags.seed ?? DEFAULT_SEED, topology);
    if (flags.json) this.process.stdout.write(scheduleBytes(schedule));
    else printLine(this, scheduleText(schedule));
  },
});
