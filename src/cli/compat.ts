import { join, resolve } from 'node:path';
import { buildCommand, buildRouteMap } from '@stricli/core';
import { installCompat, uninstallCompat, type Installed } from '../host/compat/install.ts';
import { printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { jsonFlag, textFlag } from './flags.ts';

const ROOT = join(import.meta.dirname, '..', '..');

interface Flags {
  prefix: string;
  json: boolean;
}

interface InstallFlags extends Flags {
  tokenFile?: string;
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

const installFlags = {
  ...flags,
  tokenFile: textFlag('FILE', 'the token of the daemons there, for nodes that do not share DIR'),
} as const;

function show(context: CliContext, done: readonly Installed[]): void {
  for (const { path, target, kept } of done) {
    if (target !== null) printLine(context, `${path} -> ${target}`);
    else printLine(context, `${path}: ${kept === null ? 'nothing of ours' : 'as it was before'}`);
    if (target !== null && kept !== null) printLine(context, `  what was there is ${kept}`);
  }
}

const install = buildCommand<InstallFlags, [], CliContext>({
  docs: {
    brief: "Put our programs where kafkatest looks for Trogdor's and Kibosh's",
    fullDescription: withExamples(
      `Links kafka-dev/bin/trogdor.sh and kibosh/build/kibosh below the prefix to this checkout's compat/, and puts
a token beside the former, by which the agents and the coordinator started there trust each other. What was
there before is kept beside it. Run it where all nodes have the prefix from (an image, a volume), or on every
node with the same token; again, it changes nothing.`,
      [
        ['faultline compat install --prefix /opt', 'where kafkatest expects them'],
        [
          'faultline compat install --prefix /opt --token-file agents.token',
          'on each of several nodes',
        ],
        ['faultline compat uninstall --prefix /opt', 'as it was before'],
      ],
    ),
  },
  parameters: { flags: installFlags },
  func({ prefix, json, tokenFile }) {
    const { links, token } = installCompat(resolve(prefix), ROOT, tokenFile);
    if (json) return printJson(this, { links, token });
    show(this, links);
    printLine(this, `${token}: the token of the daemons there`);
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
    const links = uninstallCompat(resolve(prefix));
    if (json) return printJson(this, { links });
    show(this, links);
  },
});

export const compatRoutes = buildRouteMap<string, CliContext>({
  routes: { install, uninstall },
  docs: { brief: "Our programs in the place of Trogdor's and Kibosh's" },
});
