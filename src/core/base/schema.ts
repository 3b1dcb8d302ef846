import type { Static, TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import { Errors } from 'typebox/value';
import { nearMiss } from './near-miss.ts';
import { invalid, under, valid, type Checked, type Problem } from './problem.ts';

// Typebox stops at 8 errors by itself; whoever wrote the document wants all of them.
Settings.Set({ maxErrors: 200 });

interface SchemaError {
  keyword: string;
  instancePath: string;
  message: string;
  params: Record<string, unknown>;
}

interface SchemaNode {
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  additionalProperties?: SchemaNode | boolean;
  anyOf?: SchemaNode[];
  enum?: unknown[];
  const?: unknown;
  title?: string;
  description?: string;
  type?: string;
}

/** What stands at a JSON pointer, or undefined. */
function at(document: unknown, path: string): unknown {
  let here = document;
  for (const part of path.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}

function schemaAt(schema: SchemaNode, path: string): SchemaNode | undefined {
  let here: SchemaNode | undefined = schema;
  for (const part of path.split('/').slice(1)) {
    const rest: SchemaNode | boolean | undefined = here?.additionalProperties;
    here = here?.properties?.[part] ?? here?.items ?? (typeof rest === 'object' ? rest : undefined);
  }
  return here;
}

/** A value as it is quoted in a message: JSON, shortened. */
export function quoted(value: unknown): string {
  // Trogdor's peers write whole numbers that only a bigint holds; JSON has no word for those.
  const whole = (_name: string, one: unknown): unknown =>
    typeof one === 'bigint' ? one.toString() : one;
  let text: string;
  try {
    text = JSON.stringify(value, whole) ?? 'nothing';
  } catch (error) {
    // JSON.parse reads what is nested deeper than JSON.stringify can follow.
    if (error instanceof RangeError) return 'something nested too deep to be shown';
    throw error;
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** What a branch of a union takes, in words, where its schema says it. */
function described(branch: SchemaNode): string[] {
  if (branch.enum) return branch.enum.map((each) => `'${String(each)}'`);
  return branch.description === undefined ? [] : [branch.description];
}

function toProblems(schema: SchemaNode, document: unknown, error: SchemaError): Problem[] {
  const path = error.instancePath;
  // 'schema is false' repeats what additionalProperties says.
  if (error.keyword === 'boolean') return [];
  const node = schemaAt(schema, path);
  if (error.keyword === 'additionalProperties') {
    const extra = (error.params['additionalProperties'] as string[] | undefined) ?? [];
    const known = Object.keys(node?.properties ?? {});
    return extra.map((name) => {
      const near = nearMiss(name, known);
      const problem: Problem = { path: `${path}/${name}`, message: `unknown field '${name}'` };
      if (near !== undefined) problem.nearMiss = near;
      else if (known.length > 0) problem.expected = `one of ${known.join(', ')}`;
      return problem;
    });
  }
  if (error.keyword === 'required') {
    const missing = (error.params['requiredProperties'] as string[] | undefined) ?? [];
    return missing.map((name) => ({ path: `${path}/${name}`, message: `'${name}' is missing` }));
  }
  const found = at(document, path);
  const problem: Problem = { path, message: error.message, found: quoted(found) };
  const branches = node?.title === undefined ? node?.anyOf?.flatMap(described) : undefined;
  if (branches && branches.length > 0) {
    problem.message = 'has none of the forms it may have';
    problem.expected = branches.join('; or ');
  } else if (node?.enum) {
    problem.message = 'not one of the allowed values';
    problem.expected = node.enum.map(String).join(', ');
    const near = typeof found === 'string' ? nearMiss(found, node.enum.map(String)) : undefined;
    if (near !== undefined) problem.nearMiss = near;
  } else if (node?.title !== undefined && error.keyword !== '~refine') {
    problem.message = `not ${/^[aeiou]/.test(node.title) ? 'an' : 'a'} ${node.title}`;
    if (node.description !== undefined) problem.expected = node.description;
  }
  return [problem];
}

/** Of a union whose forms are told apart by their member 'type': the form that a value names. */
function formOf(node: SchemaNode | undefined, value: unknown): SchemaNode | undefined {
  const type = (value as { type?: unknown } | null | undefined)?.type;
  return node?.anyOf?.find(({ properties }) => properties?.['type']?.const === type);
}

function hasForms(node: SchemaNode | undefined): boolean {
  return node?.anyOf?.every(({ properties }) => properties?.['type']?.const !== undefined) ?? false;
}

/** Problems of a value that is none of the forms: of the one it means to be, where it names one. */
function problemsOfForm(schema: SchemaNode, document: unknown, error: SchemaError): Problem[] {
  const value = at(document, error.instancePath);
  const form = formOf(schemaAt(schema, error.instancePath), value);
  if (!form) return toProblems(schema, document, error);
  const checked = checkSchema(form as TSchema, value);
  return checked.ok ? [] : under(error.instancePath, checked.problems);
}

/**
 * Checks a document against a schema.
 * @returns the same document, typed, or every problem in it with its path.
 */
export function checkSchema<T extends TSchema>(schema: T, document: unknown): Checked<Static<T>> {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const errors = [...(Errors(schema, document) as Iterable<SchemaError>)];
  const unions = errors.filter(
    ({ keyword, instancePath }) =>
      keyword === 'anyOf' && hasForms(schemaAt(schema as SchemaNode, instancePath)),
  );
  const within = ({ instancePath }: SchemaError): boolean =>
    unions.some((one) => `${instancePath}/`.startsWith(`${one.instancePath}/`));
  // What the other forms would have had is nobody's mistake.
  for (const error of [...errors.filter((one) => !within(one)), ...unions]) {
    const found = unions.includes(error)
      ? problemsOfForm(schema, document, error)
      : toProblems(schema, document, error);
    for (const problem of found) {
      // A union reports one error a branch; the first one says enough.
      const key = `${problem.path} ${problem.message}`;
      if (!seen.has(key)) problems.push(problem);
      seen.add(key);
    }
  }
  return problems.length === 0 ? valid(document as Static<T>) : invalid(...problems);
}
