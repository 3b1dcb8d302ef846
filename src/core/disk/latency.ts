import { durationMs } from '../base/duration.ts';
import type { Random } from '../base/random.ts';
import type { Latency } from './specification.ts';

/** A number above 0 and at most 1. */
function unit(random: Random): number {
  return (random.next() + 1) / 2 ** 32;
}

/** Draws how long a request is held, in milliseconds, at least 0. */
export function latencyMs(latency: Latency, random: Random): number {
  if (latency.fixed !== undefined) return durationMs(latency.fixed);
  if (latency.uniform !== undefined) {
    const from = durationMs(latency.uniform.from);
    return from + (durationMs(latency.uniform.to) - from) * unit(random);
  }
  if (latency.normal !== undefined) {
    // Box and Muller 1958.
    const normal = Math.sqrt(-2 * Math.log(unit(random))) * Math.cos(2 * Math.PI * unit(random));
    const { mean, deviation } = latency.normal;
    return Math.max(0, durationMs(mean) + durationMs(deviation) * normal);
  }
  if (latency.pareto !== undefined) {
    const drawn = durationMs(latency.pareto.minimum) / unit(random) ** (1 / latency.pareto.shape);
    return Math.min(drawn, 86_400_000);
  }
  return 0;
}
