import { KINDS } from '../faults/registry.ts';
import type { Scenario, Schedule } from '../model/scenario.ts';
import type { Topology } from '../model/topology.ts';
import { isLive } from '../model/selector-parse.ts';
import { drawSchedule } from '../schedule/draw.ts';
import { checkLimits, DEFAULT_LIMITS } from './safety.ts';
import { readTargets, resolveSelector } from './selectors.ts';

/**
 * The schedule of a valid scenario, drawn under the rules that the coordinator will hold its faults
 * to: `faultline schedule`, POST /v1/schedules and runs all come here, and so agree.
 * @param seed decimal text of a 64-bit number.
 */
export function scheduleOf(scenario: Scenario, seed: string, topology: Topology): Schedule {
  return drawSchedule(scenario, seed, {
    topology,
    kinds: KINDS,
    resolve(targets, random) {
      const selector = readTargets(targets);
      if (!selector.ok || isLive(selector.value)) return undefined;
      const resolved = resolveSelector(selector.value, { topology }, random);
      return resolved.ok ? resolved.value : undefined;
    },
    allows: (limits, standing, next) =>
      // What needs the live cluster (in-sync replicas) is looked at when the fault is armed.
      checkLimits(
        { ...DEFAULT_LIMITS, ...limits, keepMinInsyncReplicas: false },
        { topology },
        standing,
        next,
      ).length === 0,
  });
}
