import { join } from 'node:path';
import { buildCommand, buildRouteMap, numberParser } from '@stricli/core';
import { Failure } from '../core/base/failure.ts';
import { labActions, type LabActions } from '../host/lab/actions.ts';
import { LOGS, type Log } from '../host/lab/access.ts';
import type { LabOptions } from '../host/lab/up.ts';
import { CliError } from './cli-error.ts';
import { exitWith, printJson, printLine, remark, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { argument, jsonFlag, switchFlag, textFlag } from './flags.ts';
import { statusLines } from './lab-status.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** What a lab is called that nobody named. */
const UNNAMED = 'lab';

const nameFlag = textFlag('NAME', `of the lab; default '${UNNAMED}', or the only one there is`);

/** The lab that is meant, of those there are. */
export function meantOf(names: readonly string[], name: string | undefined): string {
  if (name !== undefined) return name;
  const [only, another] = names;
  return only === undefined || another !== undefined ? UNNAMED : only;
}

const USAGE_CODES = [
  'bad-name',
  'bad-release',
  'bad-size',
  'no-such-lab',
  'no-such-node',
  'ssh-missing',
];

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
  controllers: number;
  kafka?: string;
  clients: number;
  bare: boolean;
  nodes?: number;
  ssh: boolean;
  agents?: boolean;
  coordinator?: boolean;
  disks: number;
  json: boolean;
}

/** What was asked for; nothing is on a bare node but what was named. */
function sizeOf(flags: UpFlags): Omit<LabOptions, 'root' | 'say'> {
  const { name, bare, ssh, nodes, disks } = flags;
  if (!bare && nodes !== undefined) {
    throw new CliError('--nodes counts bare nodes', {
      exitCode: EXIT.usage,
      remedy: 'with --bare, or --brokers and --clients',
    });
  }
  const count = bare ? { brokers: 0, clients: nodes ?? 3 } : flags;
  const agents = flags.agents ?? !bare;
  const coordinator = flags.coordinator ?? !bare;
  const { brokers, clients } = count;
  const size = { name, bare, ssh, agents, coordinator, disks, brokers, clients };
  if (bare) return size;
  const { controllers, kafka } = flags;
  return { ...size, controllers, ...(kafka === undefined ? {} : { kafka }) };
}

const up = buildCommand<UpFlags, [], CliContext>({
  docs: {
    brief: 'Bring up a real Kafka cluster of namespaces on this machine',
    fullDescription: withExamples(
      `Every node is a set of namespaces, and looks like a machine of its own: brokers n1, n2, ...
(each also a controller, unless --controllers) and clients c1, ... on a network nothing else uses. Needs root.
With --bare there is no Kafka: empty nodes n1, n2, ..., and neither agents nor a coordinator unless
named. With --ssh every node has an sshd on that network, for root by a key made for the lab, and
cluster.json in the lab's directory describes the nodes for ducktape.`,
      [
        ['faultline lab up', 'three brokers, one client, agents and a coordinator'],
        ['faultline lab up --kafka 3.6.1 --controllers 3', 'another release, controllers apart'],
        ['faultline lab up --bare --nodes 9 --ssh', 'nine empty machines for ducktape'],
        ['faultline lab up --name small --brokers 1 --json', 'another beside it, for a script'],
      ],
    ),
  },
  parameters: {
    flags: {
      name: {
        kind: 'parsed',
        parse: String,
        brief: 'name of the lab',
        placeholder: 'NAME',
        default: UNNAMED,
      },
      brokers: { kind: 'parsed', parse: numberParser, brief: 'broker nodes', default: '3' },
      controllers: {
        kind: 'parsed',
        parse: numberParser,
        brief: 'nodes k1, k2, ... that are controllers alone; 0: every broker is one, too',
        default: '0',
      },
      kafka: textFlag(
        'RELEASE',
        'of Kafka, 3.3.0 or later; default 4.1.0, others are fetched once',
      ),
      clients: { kind: 'parsed', parse: numberParser, brief: 'client nodes', default: '1' },
      bare: switchFlag('empty nodes in place of brokers and clients'),
      nodes: {
        kind: 'parsed',
        parse: numberParser,
        optional: true,
        brief: 'bare nodes; default 3',
      },
      ssh: switchFlag('run an sshd on every node; write cluster.json for ducktape'),
      agents: {
        kind: 'boolean',
        optional: true,
        brief: 'an agent on every node; default: not bare',
      },
      coordinator: {
        kind: 'boolean',
        optional: true,
        brief: 'a coordinator on this machine; default: not bare',
      },
      disks: {
        kind: 'parsed',
        parse: numberParser,
        brief:
          "log directories of a broker: 1 on Faultline's file system, 2 with one beside it, 0 off it",
        default: '1',
      },
      json: jsonFlag,
    },
  },
  async func(flags) {
    const signal = this.catchInterrupt();
    const say = (line: string): void => remark(this, `lab: ${line}`);
    await withLabs(async (labs) => {
      const description = await labs
        .up({ ...sizeOf(flags), say, signal })
        .catch((error: unknown) => {
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

const down = buildCommand<{ name?: string; json: boolean }, [], CliContext>({
  docs: {
    brief: 'Take a lab down, whatever is left of it',
    fullDescription: withExamples(
      'Leaves no namespace, process, mount, link or file of the lab, also after a crash of any part.',
      [
        ['faultline lab down', "takes down the lab named 'lab', or the only one there is"],
        ['faultline lab down --name small', 'this one'],
      ],
    ),
  },
  parameters: { flags: { name: nameFlag, json: jsonFlag } },
  async func(flags) {
    const { name, wasThere, left } = await withLabs(async (labs) => {
      const meant = meantOf(labs.names(), flags.name);
      return { name: meant, wasThere: await labs.down(meant), left: labs.names() };
    });
    if (flags.json) return printJson(this, { name, wasThere });
    const others = left.length === 0 ? '' : `; there are: ${left.join(', ')}`;
    printLine(this, wasThere ? `lab '${name}' is down` : `there was no lab '${name}'${others}`);
  },
});

const status = buildCommand<{ name?: string; json: boolean }, [], CliContext>({
  docs: {
    brief: 'How every node of a lab is',
    fullDescription: withExamples('Init, broker and agent of every node, and what Kafka says.', [
      ['faultline lab status --json', 'with the pids, directories and addresses of every node'],
    ]),
  },
  parameters: { flags: { name: nameFlag, json: jsonFlag } },
  async func({ name, json }) {
    const found = await withLabs((labs) => labs.status(meantOf(labs.names(), name)));
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

const logs = buildCommand<{ name?: string; follow: boolean }, [string, Log], CliContext>({
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
    exitWith(
      this,
      await withLabs((labs) => labs.log(meantOf(labs.names(), name), node, log, follow)),
    );
  },
});

const shell = buildCommand<{ name?: string }, string[], CliContext>({
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
    exitWith(this, await withLabs((labs) => labs.shell(meantOf(labs.names(), name), node, argv)));
  },
});

export const labRoutes = buildRouteMap<string, CliContext>({
  routes: { up, status, logs, shell, down },
  docs: { brief: 'A real Kafka cluster in namespaces on this machine' },
});
