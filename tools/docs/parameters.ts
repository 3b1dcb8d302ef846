import type { TSchema } from 'typebox';
import { table } from './markdown.ts';

interface Shape {
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Shape[];
  items?: Shape;
  properties?: Record<string, Shape>;
  required?: string[];
  additionalProperties?: Shape | boolean;
  patternProperties?: Record<string, Shape>;
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  default?: unknown;
}

function bounds(low: number | undefined, high: number | undefined, of: string): string {
  if (low !== undefined && high !== undefined) return `${low} to ${high}${of}`;
  if (low !== undefined) return `at least ${low}${of}`;
  return high === undefined ? '' : `at most ${high}${of}`;
}

/** A schema in a few words: what may stand there. */
export function describeShape(shape: Shape): string {
  if (shape.title !== undefined) return shape.title;
  if (shape.enum) return shape.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (shape.const !== undefined) return `\`${JSON.stringify(shape.const)}\``;
  if (shape.anyOf) return shape.anyOf.map(describeShape).join(' or ');
  if (shape.type === 'array')
    return `list of ${shape.items ? describeShape(shape.items) : 'anything'}`;
  if (shape.type === 'object') return shape.properties ? 'object' : 'object of any fields';
  const name = shape.type === 'integer' ? 'whole number' : String(shape.type ?? 'anything');
  const range =
    bounds(shape.minimum, shape.maximum, '') ||
    bounds(
      shape.minLength,
      shape.maxLength === undefined ? undefined : shape.maxLength,
      ' characters',
    );
  return range === '' ? name : `${name}, ${range}`;
}

/** What else is to be known: description, default. */
function remarks(shape: Shape): string {
  const parts: string[] = [];
  if (shape.description !== undefined) parts.push(shape.description);
  if (shape.default !== undefined) parts.push(`default \`${JSON.stringify(shape.default)}\``);
  return parts.join('; ');
}

function rowsOf(shape: Shape, prefix: string): string[][] {
  return Object.entries(shape.properties ?? {}).flatMap(([name, part]) => {
    const path = `${prefix}${name}`;
    const required = shape.required?.includes(name) === true ? 'yes' : '';
    const row = [`\`${path}\``, describeShape(part), required, remarks(part)];
    const inner = part.type === 'array' && part.items?.properties ? part.items : part;
    return [row, ...rowsOf(inner, inner === part ? `${path}.` : `${path}[].`)];
  });
}

/** The fields of an object, nested ones by their path; a sentence where there are none. */
export function parameterTable(schema: TSchema, none: string): string {
  const rows = rowsOf(schema, '');
  return rows.length === 0 ? none : table(['field', 'what', 'required', 'meaning'], rows);
}
