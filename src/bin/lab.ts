import { join } from 'node:path';
import { buildApplication, run } from '@stricli/core';
import { labRoutes } from '../cli/lab.ts';
import { labActions } from '../host/lab/actions.ts';

// Stands in until the root command line has the lab in it.
const root = join(import.meta.dirname, '..', '..');
const application = buildApplication(labRoutes, {
  name: 'lab',
  scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
});
await run(application, process.argv.slice(2), { process, lab: labActions(root) });
