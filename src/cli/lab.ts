import {
  buildCommand,
  buildRouteMap,
  numberParser,
  type CommandContext,
  type StricliProcess,
} from '@stricli/core';
import { Failure } from '../core/base/failure.ts';
import type { LabActions } from '../host/lab/actions.ts';
import type { LabStatus } from '../host/lab/status.ts';

/** What the lab's commands need: the terminal, and hands (host/lab/actions.ts). */
export interface LabContext extends CommandContext {
  readonly process: StricliProcess;
  readonly lab: LabActions;
}

const nameFlag = {
  kind: 'parsed',
  parse: String,
  brief: 'Name of the lab',
  default: 'lab',
} as const;

const jsonFlag = {
  kind: 'boolean',
  brief: 'One JSON object on standard output',
  default: false,
  withNegated: false,
} as const;

const nodeArgument = { brief: 'Name of a node', parse: String, placeholder: 'NODE' } as const;

function exitWith(context: LabContext, code: number): void {
  context.process.exitCode = code;
}

/** Ends with 1 and one line (and what a broken broker last said) where the outside world said no. */
async function guarded(context: LabContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    context.process.stderr.write(`faultline: ${error.message}\n`);
    exitWith(context, 1);
  }
}

function print(context: LabContext, value: unknown): void {
  context.process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A node a line: what it is, where it is, how it is. */
function statusLines(status: LabStatus): string[] {
  const rows = status.nodes.map((node) => {
    const { health } = node;
    const cluster = [
      ...(health.registered === true ? ['registered'] : []),
      ...(health.registered === false ? ['NOT REGISTERED'] : []),
      ...(health.leader === true ? ['quorum leader'] : []),
    ];
    const said = [
      health.init ? 'up' : 'DOWN',
      ...(health.broker === '' ? [] : [`broker ${health.broker}`]),
      ...(health.agent === '' ? [] : [`agent ${health.agent}`]),
      ...cluster,
    ];
    return `${node.name.padEnd(5)} ${node.address.padEnd(15)} ${said.join(', ')}`;
  });
  const coordinator = status.coordinator === null ? [] : [`coordinator ${status.coordinator.url}`];
  return [...rows, `bootstrap ${status.bootstrap}`, ...coordinator, `files ${status.directory}`];
}

interface UpFlags {
  name: string;
  brokers: number;
  clients: number;
  agents: boolean;
  coordinator: boolean;
  json: boolean;
}

const up = buildCommand<UpFlags, [], LabContext>({
  docs: {
    brief: 'Bring up a real Kafka cluster of namespaces on this machine',
    customUsage: ['', '--name second --brokers 1', '--json'],
  },
  parameters: {
    flags: {
      name: nameFlag,
      brokers: { kind: 'parsed', parse: numberParser, brief: 'Broker nodes', default: '3' },
      clients: { kind: 'parsed', parse: numberParser, brief: 'Client nodes', default: '1' },
      agents: { kind: 'boolean', brief: 'Run an agent on every node', default: true },
      coordinator: { kind: 'boolean', brief: 'Run a coordinator on this machine', default: true },
      json: jsonFlag,
    },
  },
  async func(flags) {
    const interrupted = new AbortController();
    const interrupt = (): void => interrupted.abort(stopped);
    const stopped = new Failure('interrupted', 'interrupted; the lab is taken down again', {
      definite: false,
    });
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    await guarded(this, async () => {
      const say = (line: string): void => void this.process.stderr.write(`lab: ${line}\n`);
      const description = await this.lab.up({ ...flags, say, signal: interrupted.signal });
      if (flags.json) return print(this, description);
      const lines = statusLines(await this.lab.status(flags.name));
      this.process.stdout.write(`${lines.join('\n')}\n`);
    });
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  },
});

const down = buildCommand<{ name: string; json: boolean }, [], LabContext>({
  docs: { brief: 'Take a lab down, whatever is left of it' },
  parameters: { flags: { name: nameFlag, json: jsonFlag } },
  async func({ name, json }) {
    await guarded(this, async () => {
      const wasThere = await this.lab.down(name);
      if (json) return print(this, { name, wasThere });
      const said = wasThere ? `lab '${name}' is down` : `there was no lab '${name}'`;
      this.process.stdout.write(`${said}\n`);
    });
  },
});

const status = buildCommand<{ name: string; json: boolean }, [], LabContext>({
  docs: { brief: 'How every node of a lab is' },
  parameters: { flags: { name: nameFlag, json: jsonFlag } },
  async func({ name, json }) {
    await guarded(this, async () => {
      const found = await this.lab.status(name);
      if (json) return print(this, found);
      this.process.stdout.write(`${statusLines(found).join('\n')}\n`);
    });
  },
});

const LOGS = ['broker', 'agent', 'init'] as const;
type Log = (typeof LOGS)[number];

function parseLog(text: string): Log {
  const found = LOGS.find((log) => log === text);
  if (found === undefined) throw new Error(`'${text}' is none of ${LOGS.join(', ')}`);
  return found;
}

const logs = buildCommand<{ name: string; follow: boolean }, [string, Log], LabContext>({
  docs: {
    brief: 'Print the log of a node: of its broker, its agent or its init',
    customUsage: ['n1', 'n1 agent --follow'],
  },
  parameters: {
    flags: {
      name: nameFlag,
      follow: { kind: 'boolean', brief: 'Go on printing', default: false, withNegated: false },
    },
    aliases: { f: 'follow' },
    positional: {
      kind: 'tuple',
      parameters: [
        nodeArgument,
        { brief: LOGS.join(', '), parse: parseLog, default: 'broker', placeholder: 'LOG' },
      ],
    },
  },
  async func({ name, follow }, node, log) {
    await guarded(this, async () => exitWith(this, await this.lab.log(name, node, log, follow)));
  },
});

const shell = buildCommand<{ name: string }, string[], LabContext>({
  docs: {
    brief: 'Enter a node: a shell in all its namespaces, or one program',
    customUsage: ['n1', 'n1 -- ss -tn'],
  },
  parameters: {
    flags: { name: nameFlag },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        brief: 'A node, then a program and its arguments',
        parse: String,
        placeholder: 'NODE [PROGRAM]',
      },
    },
  },
  async func({ name }, node = '', ...argv) {
    await guarded(this, async () => exitWith(this, await this.lab.shell(name, node, argv)));
  },
});

export const labRoutes = buildRouteMap<string, LabContext>({
  routes: { up, status, logs, shell, down },
  docs: { brief: 'A real Kafka cluster on this machine, every node a set of namespaces' },
});
