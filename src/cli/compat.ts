import { join, resolve } from 'node:path';
import { buildCommand, buildRouteMap } from '@stricli/core';
import { installCompat, uninstallCompat, type Installed } from '../host/compat/install.ts';
import { printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { jsonFlag } from './flags.ts';

const ROOT = join(import.meta.dirname, '..', '..');

interface Flags {
  prefix: string;
  json: boolean;
}

const flags = {
  prefix: {
    kind: 'parsed',
    parse: String,
    placeholder: 'DIR',
    default: '/opt',
    brief: 'where kafkatest expects kafka-dev and kibosh',
  },
  json: jsonFlag,
} as const;

function show(context: CliContext, done: readonly Installed[], json: boolean): void {
  if (json) return printJson(context, done);
  for (const { path, target, kept } of done) {
    if (target !== null) printLine(context, `${path} -> ${target}`);
    else printLine(context, `${path}: ${kept === null ? 'nothing of ours' : 'as it was before'}`);
    if (target !== null && kept !== null) printLine(context, `  what was there is ${kept}`);
  }
}

const install = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: "Put our programs where kafkatest looks for Trogdor's and Kibosh's",
    fullDescription: withExamples(
      `Links kafka-dev/bin/trogdor.sh and kibosh/build/kibosh below the prefix to this checkout's compat/. What
was there before is kept beside it. Run it on every node of the test cluster; again, it changes nothing.`,
      [
        ['faultline compat install --prefix /opt', 'where kafkatest expects them'],
        ['faultline compat uninstall --prefix /opt', 'as it was before'],
      ],
    ),
  },
  parameters: { flags },
  func({ prefix, json }) {
    show(this, installCompat(resolve(prefix), ROOT), json);
  },
});

const uninstall = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'Take them away again, and put back what was there',
    fullDescription: withExamples('What is not a link of ours stays as it is.', [
      ['faultline compat uninstall --prefix /opt', 'as it was before'],
    ]),
  },
  parameters: { flags },
  func({ prefix, json }) {
    show(this, uninstallCompat(resolve(prefix)), json);
  },
});

export const compatRoutes = buildRouteMap<string, CliContext>({
  routes: { install, uninstall },
  docs: { brief: "Our programs in the place of Trogdor's and Kibosh's" },
});
