import { join } from 'node:path';
import { buildCommand, buildRouteMap, numberParser } from '@stricli/core';
import { Failure } from '../core/base/failure.ts';
import { labActions, type LabActions } from '../host/lab/actions.ts';
import { LOGS, type Log } from '../host/lab/access.ts';
import { CliError } from './cli-error.ts';
import { exitWith, printJson, printLine, remark, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { argument, jsonFlag, switchFlag } from './flags.ts';
import { statusLines } from './lab-status.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const nameFlag = {
  kind: 'parsed',
  parse: String,
  brief: 'name of the lab',
  placeholder: 'NAME',
  default: 'lab',
} as const;

const USAGE_CODES = ['bad-name', 'bad-size', 'no-such-lab', 'no-such-node'];

/** Does it, with what the person wrote told apart from what the machine said. */
async function withLabs<T>(work: (labs: LabActions) => Promise<T>): Promise<T> {
  try {
    return await work(labActions(ROOT));
  } catch (error) {
    if (!(error instanceof Failure) || !USAGE_CODES.includes(error.code)) throw error;
    throw new CliError(error.message, { exitCode: EXIT.usage, cause: error });
  }
}

interface UpFlags {
  name: string;
  brokers: number;
  clients: number;
  agents: boolean;
  coordinator: boolean;
  json: boolean;
}

const up = buildCommand<UpFlags, [], CliContext>({
  docs: {
    brief: 'Bring up a real Kafka cluster of namespaces on this machine',
    fullDescription: withExamples(
      `Every node is a set of namespaces, and looks like a machine of its own: brokers n1, n2, ...
(each also a controller) and clients c1, ... on a network nothing else uses. Needs root.`,
      [
        ['faultline lab up', 'three brokers, one client, agents and a coordinator'],
        ['faultline lab up --name small --brokers 1 --json', 'another beside it, for a script'],
      ],
    ),
  },
  parameters: {
    flags: {
      name: nameFlag,
      brokers: { kind: 'parsed', parse: numberParser, brief: 'broker nodes', default: '3' },
      clients: { kind: 'parsed', parse: numberParser, brief: 'client nodes', default: '1' },
      agents: { kind: 'boolean', brief: 'run an agent on every node', default: true },
      coordinator: { kind: 'boolean', brief: 'run a coordinator on this machine', default: true },
      json: jsonFlag,
    },
  },
  async func(flags) {
    const signal = this.catchInterrupt();
    const say = (line: string): void => remark(this, `lab: ${line}`);
    await withLabs(async (labs) => {
      const description = await labs.up({ ...flags, say, signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
        throw new CliError(`interrupted; lab '${flags.name}' was taken down again`, {
          exitCode: EXIT.interrupted,
          cause: error,
        });
      });
      if (flags.json) return printJson(this, description);
      for (const line of statusLines(await labs.status(flags.name))) printLine(this, line);
    });
  },
});

const down = buildCommand<{ name: string; json: boolean }, [], CliContext>({
  docs: {
    brief: 'Take a lab down, whatever is left of it',
    fullDescription: withExamples(
      'Leaves no namespace, process, mount, link or file of the lab, also after a crash of any part.',
      [['faultline lab down', "takes down the lab named 'lab'"]],
    ),
  },
  parameters: { flags: { name: nameFlag, json: jsonFlag } },
  async func({ name, json }) {
    const wasThere = await withLabs((labs) => labs.down(name));
    if (json) return printJson(this, { name, wasThere });
    printLine(this, wasThere ? `lab '${name}' is down` : `there was no lab '${name}'`);
  },
});

const status = buildCommand<{ name: string; json: boolean }, [], CliContext>({
  docs: {
    brief: 'How every node of a lab is',
    fullDescription: withExamples('Init, broker and agent of every node, and what Kafka says.', [
      ['faultline lab status --json', 'with the pids, directories and addresses of every node'],
    ]),
  },
  parameters: { flags: { name: nameFlag, json: jsonFlag } },
  async func({ name, json }) {
    const found = await withLabs((labs) => labs.status(name));
    if (json) return printJson(this, found);
    for (const line of statusLines(found)) printLine(this, line);
  },
});

/** @throws SyntaxError naming the logs there are. */
function parseLog(text: string): Log {
  const found = LOGS.find((log) => log === text);
  if (found === undefined) throw new SyntaxError(`'${text}' is none of ${LOGS.join(', ')}`);
  return found;
}

const logs = buildCommand<{ name: string; follow: boolean }, [string, Log], CliContext>({
  docs: {
    brief: 'Print the log of a node: of its broker, its agent or its init',
    fullDescription: withExamples('The logs are files; lab status --json says where.', [
      ['faultline lab logs n1', "the broker's log"],
      ['faultline lab logs n1 agent --follow', 'and what is added to it'],
    ]),
  },
  parameters: {
    flags: { name: nameFlag, follow: switchFlag('go on printing') },
    aliases: { f: 'follow' },
    positional: {
      kind: 'tuple',
      parameters: [
        argument('NODE', 'name of a node'),
        { brief: LOGS.join(', '), parse: parseLog, default: 'broker', placeholder: 'LOG' },
      ],
    },
  },
  async func({ name, follow }, node, log) {
    exitWith(this, await withLabs((labs) => labs.log(name, node, log, follow)));
  },
});

const shell = buildCommand<{ name: string }, string[], CliContext>({
  docs: {
    brief: 'Enter a node: a shell in all its namespaces, or one program',
    fullDescription: withExamples(
      "node-ctl start|stop|kill SERVICE is on the PATH there; the services are 'broker' and 'agent'.",
      [
        ['faultline lab shell n1', 'a shell'],
        ['faultline lab shell n1 -- ss -tn', 'one program'],
        ['faultline lab shell n1 -- node-ctl start broker', 'starts its broker again'],
      ],
    ),
  },
  parameters: {
    flags: { name: nameFlag },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: argument('NODE [PROGRAM]', 'a node, then a program and its arguments'),
    },
  },
  async func({ name }, node = '', ...argv) {
    exitWith(this, await withLabs((labs) => labs.shell(name, node, argv)));
  },
});

export const labRoutes = buildRouteMap<string, CliContext>({
  routes: { up, status, logs, shell, down },
  docs: { brief: 'A real Kafka cluster in namespaces on this machine' },
});
