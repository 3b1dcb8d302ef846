import type { Problem } from '../../core/base/problem.ts';
import { checkBenchSpec } from '../../core/workloads/bench-spec.ts';
import { benchNamed } from '../../core/workloads/bench/registry.ts';
import { checkWorkloadSpec } from '../../core/workloads/spec.ts';

interface Runner {
  interrupt(): void;
  run(): Promise<number>;
}

/** The runner of a spec, or all that is wrong with it. A process carries only the one it needs. */
export async function openWorkload(
  document: unknown,
  directory: string,
): Promise<Runner | Problem[]> {
  if (isBenchDocument(document)) {
    const bench = checkBenchSpec(document);
    if (!bench.ok) return bench.problems;
    const { BenchRunner } = await import('./bench-runner.ts');
    return new BenchRunner(bench.value, directory);
  }
  const spec = checkWorkloadSpec(document);
  if (!spec.ok) return spec.problems;
  const { WorkloadRunner } = await import('./runner.ts');
  return WorkloadRunner.open(spec.value, directory);
}

/** Whether a spec is a bench's, by its kind. */
export function isBenchDocument(document: unknown): boolean {
  const kind = (document as { kind?: unknown } | null)?.kind;
  return typeof kind === 'string' && benchNamed(kind) !== undefined;
}
