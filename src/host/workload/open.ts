import type { Problem } from '../../core/base/problem.ts';
import type { BenchSpec } from '../../core/workloads/bench-spec.ts';
import { collectGarbage } from '../garbage.ts';

interface Runner {
  interrupt(): void;
  run(): Promise<number>;
}

/**
 * The runner of a spec, or all that is wrong with it. A process carries only the one it needs: a bench's
 * spec was checked by the agent that started it, and what checks it (9 MB) is not loaded again.
 */
export async function openWorkload(
  document: unknown,
  directory: string,
): Promise<Runner | Problem[]> {
  if (isBench(document)) {
    const { BenchRunner } = await import('./bench-runner.ts');
    collectGarbage();
    return new BenchRunner(document, directory);
  }
  const { checkWorkloadSpec } = await import('../../core/workloads/spec.ts');
  const spec = checkWorkloadSpec(document);
  if (!spec.ok) return spec.problems;
  const { WorkloadRunner } = await import('./runner.ts');
  return WorkloadRunner.open(spec.value, directory);
}

/** Only they have an end of their own. */
function isBench(document: unknown): document is BenchSpec {
  return typeof document === 'object' && document !== null && 'endAtMs' in document;
}
