import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { reasonOf } from '../../core/base/failure.ts';
import { parseExactJson } from '../../core/trogdor/json.ts';

/** What ends one of Trogdor's command lines with exit code 1, and a word on standard error. */
export class TrogdorCliError extends Error {
  override name = 'TrogdorCliError';
}

export interface Option {
  /** One letter. */
  short?: string;
  /** Without a value. */
  isSwitch?: boolean;
  required?: boolean;
  multiple?: boolean;
  says: string;
}

export type Options = Readonly<Record<string, Option>>;

/** Values by option: texts, in order; a switch that is on has one. */
export type Given = Readonly<Record<string, readonly string[]>>;

/** Help, in place of what was asked. */
export class TrogdorHelp extends Error {
  override name = 'TrogdorHelp';
}

export function usageOf(program: string, options: Options): string {
  const lines = Object.entries(options).map(([name, { short, isSwitch, required, says }]) => {
    const names = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].join(', ');
    const value = isSwitch === true ? '' : ` ${name.replaceAll(/[.-]/g, '_').toUpperCase()}`;
    return `  ${names}${value}\n      ${says}${required === true ? ' (required)' : ''}`;
  });
  return `usage: ${program} [options]\n${lines.join('\n')}`;
}

/** @throws TrogdorHelp, TrogdorCliError: all that is missing or unknown. */
export function readOptions(program: string, argv: readonly string[], options: Options): Given {
  const all: Options = { ...options, help: { short: 'h', isSwitch: true, says: 'this' } };
  const described = Object.entries(all).map(([name, { short, isSwitch }]) => [
    name,
    {
      type: isSwitch === true ? 'boolean' : 'string',
      multiple: true,
      ...(short === undefined ? {} : { short }),
    } as const,
  ]);
  let values: Record<string, (string | boolean)[] | undefined>;
  try {
    const parsed = parseArgs({ args: [...argv], options: Object.fromEntries(described) });
    values = parsed.values as typeof values;
  } catch (error) {
    throw new TrogdorCliError(`${usageOf(program, options)}\n${program}: ${reasonOf(error)}`);
  }
  if (values['help']) throw new TrogdorHelp(usageOf(program, options));
  const missing = Object.entries(options)
    .filter(([name, { required }]) => required === true && !values[name])
    .map(([name]) => `argument --${name} is required`);
  if (missing.length > 0)
    throw new TrogdorCliError(`${usageOf(program, options)}\n${program}: ${missing.join('; ')}`);
  return Object.fromEntries(
    Object.entries(values).map(([name, given]) => [name, (given ?? []).map(String)]),
  );
}

/** The text of a spec: JSON, or the path of a file with it. @throws TrogdorCliError */
export function specText(argument: string): string {
  const text = argument.trimStart().startsWith('{') ? argument : readFile(argument);
  const parsed = parseExactJson(text);
  if (parsed.ok) return text;
  throw new TrogdorCliError(parsed.problems.map(({ message }) => message).join('; '));
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new TrogdorCliError(`neither JSON nor a file: ${reasonOf(error)}`);
  }
}
