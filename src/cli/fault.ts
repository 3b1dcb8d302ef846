import { buildCommand, buildRouteMap } from '@stricli/core';
import type { FaultRequest } from '../core/model/fault-request.ts';
import type { FaultStatus } from '../core/model/fault-status.ts';
import { CliError } from './cli-error.ts';
import { exitWith, printJson, printLine, type CliContext } from './context.ts';
import { readDocument } from './document.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { faultLines, faultRow, FAULT_HEADING } from './fault-text.ts';
import {
  argument,
  jsonFlag,
  remoteFlags,
  switchFlag,
  textFlag,
  type RemoteFlags,
} from './flags.ts';
import { withRemote } from './remote.ts';
import { table } from './table.ts';

interface CreateFlags extends RemoteFlags {
  readonly id?: string;
  readonly targets?: string;
  readonly params?: string;
  readonly duration?: string;
  readonly lease?: string;
  readonly after?: string;
  readonly startAt?: string;
  readonly every?: string;
  readonly reason?: string;
  readonly override?: string;
  readonly file?: string;
  readonly wait: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

function parsedParams(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Not JSON: said below, with what would be.
  }
  throw new CliError(`--params '${text}' is not a JSON object`, {
    exitCode: EXIT.usage,
    remedy: `as in --params '{"shape":"isolate"}'`,
  });
}

/** An id nobody else has: the kind, and the moment in base 36. */
function freshId(kind: string): string {
  const stem = kind.replace(/[^a-z0-9]+/g, '-').slice(0, 40);
  return `${stem}-${Date.now().toString(36)}`;
}

function requestOf(kind: string | undefined, flags: CreateFlags): Partial<FaultRequest> {
  const written = flags.file === undefined ? {} : readDocument(flags.file).value;
  const request = { ...(written as Partial<FaultRequest>) };
  if (kind !== undefined) request.kind = kind;
  if (flags.params !== undefined) request.params = parsedParams(flags.params);
  if (flags.override !== undefined) {
    request.override = parsedParams(flags.override) as NonNullable<FaultRequest['override']>;
  }
  for (const name of [
    'id',
    'targets',
    'duration',
    'lease',
    'after',
    'startAt',
    'every',
    'reason',
  ] as const) {
    const value = flags[name];
    if (value !== undefined) request[name] = value;
  }
  if (request.kind === undefined) {
    throw new CliError('no fault kind: name one, or a file with --file', {
      exitCode: EXIT.usage,
      remedy: "'faultline kinds' lists them",
    });
  }
  request.id ??= freshId(request.kind);
  return request;
}

const BAD_STATES = ['refused', 'failed', 'missed', 'stuck'];

const create = buildCommand<CreateFlags, [string?], CliContext>({
  docs: {
    brief: 'Create a fault: armed on every acting node, then fired at one instant',
    fullDescription: withExamples(
      `Asks the coordinator for one fault and waits until it is active or has ended (--wait). It ends by
itself after --duration, or with 'faultline fault heal ID'.`,
      [
        [
          `faultline fault create network.partition --params '{"shape":"isolate"}' --targets n1 --duration 30s`,
          'cut n1 off for 30 seconds',
        ],
        [
          "faultline fault create process.kill --targets 'leader(orders-0)' --duration 10s",
          'kill the leader of orders-0; it is started again after 10 s',
        ],
        ['faultline fault create cpu.load --targets all --duration 1m --dry-run', 'only look'],
        ['faultline fault create --file fault.json --json', 'a whole request from a file'],
      ],
    ),
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ ...argument('KIND', "fault kind, see 'faultline kinds'"), optional: true }],
    },
    flags: {
      ...remoteFlags,
      id: textFlag('ID', 'your own id: asking again with it is asking for the same fault'),
      targets: textFlag('SELECTOR', "whom: n1, 'leader(t-0)', 'one of role(broker)', 'n1 | n2'"),
      params: textFlag('JSON', 'parameters of the kind, as a JSON object'),
      duration: textFlag('D', 'how long it stands; without it until healed'),
      lease: textFlag('D', "how long it stands without the coordinator; 'none' needs a duration"),
      after: textFlag('D', 'begin this long from now'),
      startAt: textFlag('INSTANT', 'begin at an instant (RFC 3339)'),
      every: textFlag('D', 'again and again, this far apart'),
      reason: textFlag('TEXT', 'why, for the audit log'),
      override: textFlag('JSON', `limits it may pass: {"limits":["quorum"],"reason":"..."}`),
      file: textFlag('FILE', 'a request as JSON or YAML; flags go over it'),
      wait: {
        ...textFlag('D', 'answer once active or ended, at most after'),
        default: '15s',
        optional: false,
      },
      dryRun: switchFlag('check, resolve and plan on every node; touch nothing'),
      json: jsonFlag,
    },
  },
  async func(flags, kind) {
    const request = requestOf(kind, flags);
    const query = flags.dryRun ? { dryRun: 'true' } : { wait: flags.wait };
    const fault = await withRemote(this, flags, (client) =>
      client.post<FaultStatus>('/v1/faults', request, { query, timeoutMs: 120_000 }),
    );
    if (flags.json) printJson(this, fault);
    else {
      for (const line of faultLines(fault)) printLine(this, line);
      if (flags.dryRun) printLine(this, 'a dry run: nothing was touched, nothing is kept');
    }
    exitWith(this, BAD_STATES.includes(fault.state) ? EXIT.refused : EXIT.ok);
  },
});

interface ListFlags extends RemoteFlags {
  readonly state?: string;
  readonly run?: string;
  readonly json: boolean;
}

const list = buildCommand<ListFlags, [], CliContext>({
  docs: {
    brief: 'Faults, newest first',
    fullDescription: withExamples('Lists the faults the coordinator knows.', [
      ['faultline fault list', 'all of them'],
      ['faultline fault list --state active,healing --json', 'those in force, for a script'],
      ['faultline fault list --run demo-7', 'those of one run'],
    ]),
  },
  parameters: {
    flags: {
      ...remoteFlags,
      state: textFlag('STATES', 'only in these states, comma-separated'),
      run: textFlag('ID', 'only of this run'),
      json: jsonFlag,
    },
  },
  async func(flags) {
    const query = { state: flags.state, run: flags.run };
    const answer = await withRemote(this, flags, (client) =>
      client.get<{ faults: FaultStatus[] }>('/v1/faults', { query }),
    );
    if (flags.json) printJson(this, answer);
    else printLine(this, table([FAULT_HEADING, ...answer.faults.map(faultRow)]));
  },
});

const show = buildCommand<RemoteFlags & { json: boolean }, [string], CliContext>({
  docs: {
    brief: 'One fault with every node, its receipt and who ended it',
    fullDescription: withExamples('Shows what a fault did on each node, and the proof of it.', [
      ['faultline fault show f1', 'for people'],
      ['faultline fault show f1 --json | jq .nodes', 'for a script'],
    ]),
  },
  parameters: {
    positional: { kind: 'tuple', parameters: [argument('ID', 'id of the fault')] },
    flags: { ...remoteFlags, json: jsonFlag },
  },
  async func(flags, id) {
    const fault = await withRemote(this, flags, (client) =>
      client.get<FaultStatus>(`/v1/faults/${encodeURIComponent(id)}`),
    );
    if (flags.json) printJson(this, fault);
    else for (const line of faultLines(fault)) printLine(this, line);
  },
});

const heal = buildCommand<RemoteFlags & { wait: string; json: boolean }, [string], CliContext>({
  docs: {
    brief: 'Heal one fault; its record is kept',
    fullDescription: withExamples('Ends a fault now, and waits until it has ended.', [
      ['faultline fault heal f1', 'end it'],
      ['faultline heal', 'end everything'],
    ]),
  },
  parameters: {
    positional: { kind: 'tuple', parameters: [argument('ID', 'id of the fault')] },
    flags: {
      ...remoteFlags,
      wait: { ...textFlag('D', 'wait for its end at most'), default: '15s', optional: false },
      json: jsonFlag,
    },
  },
  async func(flags, id) {
    const fault = await withRemote(this, flags, (client) =>
      client.delete<FaultStatus>(`/v1/faults/${encodeURIComponent(id)}`, {
        query: { wait: flags.wait },
        timeoutMs: 120_000,
      }),
    );
    if (flags.json) printJson(this, fault);
    else for (const line of faultLines(fault)) printLine(this, line);
    exitWith(this, fault.state === 'stuck' ? EXIT.refused : EXIT.ok);
  },
});

export const faultRoutes = buildRouteMap<string, CliContext>({
  routes: { create, list, show, heal },
  docs: {
    brief: 'Create, list, show and heal single faults',
    fullDescription: withExamples('Single faults, without a scenario.', [
      ['faultline fault create process.pause --targets n1 --duration 10s', 'stall a broker'],
      ['faultline fault list', 'what there is'],
    ]),
  },
});
