import { buildCommand } from '@stricli/core';
import { KINDS, kindNamed } from '../core/faults/registry.ts';
import type { FaultKind } from '../core/model/fault.ts';
import { nearMiss } from '../core/base/near-miss.ts';
import { CliError } from './cli-error.ts';
import { printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { argument, jsonFlag } from './flags.ts';
import { table } from './table.ts';

interface ParameterSchema {
  properties?: Record<string, { description?: string; enum?: unknown[]; type?: string }>;
}

function describeKind(kind: FaultKind): string[] {
  const { properties = {} } = kind.params as ParameterSchema;
  const rows = Object.entries(properties).map(([name, schema]) => [
    `  ${name}`,
    schema.description ?? schema.enum?.map(String).join(' | ') ?? schema.type ?? '',
  ]);
  const examples = kind.examples.flatMap(({ title, params }) => [
    `  # ${title}`,
    `  --params '${JSON.stringify(params)}'`,
  ]);
  const needs = kind.needs.map((set) => set.join(' and ') || 'nothing').join(', or ');
  return [
    `${kind.kind}: ${kind.summary}`,
    '',
    kind.doc,
    ...(rows.length === 0 ? [] : ['', 'PARAMETERS', table(rows)]),
    '',
    'EXAMPLES',
    ...examples,
    '',
    `NEEDS ${needs}`,
  ];
}

function asJson(kind: FaultKind): Record<string, unknown> {
  const { summary, doc, standing, colour, params, examples, needs } = kind;
  return { kind: kind.kind, summary, doc, standing, colour, params, examples, needs };
}

export const kindsCommand = buildCommand<{ json: boolean }, [string?], CliContext>({
  docs: {
    brief: 'Fault kinds with their parameters and examples',
    fullDescription: withExamples('Lists what can be injected, or explains one kind.', [
      ['faultline kinds', 'all of them'],
      ['faultline kinds network.partition', 'one, with parameters and examples'],
      ['faultline kinds --json', 'with JSON Schemas'],
    ]),
  },
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [{ ...argument('KIND', 'only this one'), optional: true }],
    },
    flags: { json: jsonFlag },
  },
  func(flags, name) {
    if (name === undefined) {
      if (flags.json) return printJson(this, { kinds: KINDS.map(asJson) });
      return printLine(this, table(KINDS.map(({ kind, summary }) => [kind, summary])));
    }
    const kind = kindNamed(name);
    if (kind === undefined) {
      const near = nearMiss(
        name,
        KINDS.map((one) => one.kind),
      );
      throw new CliError(`there is no fault kind '${name}'`, {
        exitCode: EXIT.noInput,
        remedy: near === undefined ? "'faultline kinds' lists them" : `did you mean '${near}'?`,
      });
    }
    if (flags.json) return printJson(this, asJson(kind));
    for (const line of describeKind(kind)) printLine(this, line);
  },
});
