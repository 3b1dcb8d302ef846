import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeProblem } from '../core/base/problem.ts';
import { checkWorkloadSpec } from '../core/workloads/spec.ts';
import { WorkloadRunner } from '../host/workload/runner.ts';

/** The workload process: `workload --spec FILE --directory DIR`. Commands come out of DIR. */
const { values } = parseArgs({
  options: { spec: { type: 'string' }, directory: { type: 'string' } },
});
if (values.spec === undefined || values.directory === undefined) {
  console.error('usage: workload --spec FILE --directory DIR');
  process.exit(64);
}
const spec = checkWorkloadSpec(JSON.parse(readFileSync(values.spec, 'utf8')));
if (!spec.ok) {
  for (const problem of spec.problems) console.error(describeProblem(problem));
  process.exit(65);
}
const runner = await WorkloadRunner.open(spec.value, values.directory);
process.on('SIGTERM', () => runner.interrupt());
process.on('SIGINT', () => runner.interrupt());
process.exit(await runner.run());
