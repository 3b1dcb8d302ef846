import { Type, type Static } from 'typebox';
import { bench } from './bench.ts';

export const ExternalCommandFields = Type.Object(
  {
    commandNode: Type.String({ default: '' }),
    command: Type.Array(Type.String({ maxLength: 100_000 }), { maxItems: 1_000, default: [] }),
    /** Handed to the program as it is. */
    workload: Type.Unknown({ default: null }),
    shutdownGracePeriodMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600_000 })),
  },
  { additionalProperties: false },
);
export type ExternalCommandParams = Static<typeof ExternalCommandFields>;

/** Which programs a node runs for others: those listed, or any. */
export type AllowedPrograms = readonly string[] | 'any';

export const externalCommand = bench({
  kind: 'external-command',
  summary: 'Runs a program that is a load of its own.',
  fields: ExternalCommandFields,
  check: ({ command }) =>
    (command[0] ?? '') === '' ? [{ path: '/command', message: 'there is no program to run' }] : [],
});

/** Why a node does not run it; undefined: it does. */
export function whyNotRun(
  params: Pick<ExternalCommandParams, 'command'>,
  allowed: AllowedPrograms,
): string | undefined {
  const [program = ''] = params.command;
  if (allowed === 'any' || allowed.includes(program)) return undefined;
  const how = 'name it under externalCommands in the file of --config';
  return `this node does not run '${program.slice(0, 200)}' for others; ${how}`;
}
