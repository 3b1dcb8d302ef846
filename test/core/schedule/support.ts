import { scheduleOf } from '../../../src/core/coordinator/schedule-of.ts';
import { checkScenario } from '../../../src/core/coordinator/check-scenario.ts';
import { KINDS } from '../../../src/core/faults/registry.ts';
import type { Scenario, Schedule } from '../../../src/core/model/scenario.ts';
import { EXAMPLE_TOPOLOGY } from '../../../src/core/model/example-topology.ts';

export const KIND_NAMES = KINDS.map(({ kind }) => kind);

/** A scenario that draws; `changes` go over it. */
export function drawing(
  changes: Partial<NonNullable<Scenario['draw']>> = {},
  rest: Partial<Scenario> = {},
): Scenario {
  const document = {
    faultline: 1,
    name: 'test',
    duration: '10m',
    draw: {
      every: '10s',
      duration: { min: '2s', max: '8s' },
      concurrent: 2,
      kinds: KIND_NAMES.map((kind) => ({ kind })),
      ...changes,
    },
    ...rest,
  };
  const checked = checkScenario(document, EXAMPLE_TOPOLOGY);
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return checked.value;
}

export function draw(scenario: Scenario, seed: number | string): Schedule {
  return scheduleOf(scenario, String(seed), EXAMPLE_TOPOLOGY);
}
