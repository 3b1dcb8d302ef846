import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeProblem } from '../core/base/problem.ts';
import { openWorkload } from '../host/workload/open.ts';

/** The workload process: `workload --spec FILE --directory DIR`. Commands come out of DIR. */
const { values } = parseArgs({
  options: { spec: { type: 'string' }, directory: { type: 'string' } },
});
if (values.spec === undefined || values.directory === undefined) {
  console.error('usage: workload --spec FILE --directory DIR');
  process.exit(64);
}
const document: unknown = JSON.parse(readFileSync(values.spec, 'utf8'));
const runner = await openWorkload(document, values.directory);
if (Array.isArray(runner)) {
  for (const problem of runner) console.error(describeProblem(problem));
  process.exit(65);
}
process.on('SIGTERM', () => runner.interrupt());
process.on('SIGINT', () => runner.interrupt());
process.exit(await runner.run());
