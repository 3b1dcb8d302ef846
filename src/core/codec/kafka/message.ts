import { assert } from '../../base/assert.ts';
import { MESSAGE_TABLE } from './message-table.ts';

/*
 * What a message consists of, by version. One line of message-table.ts:
 *
 *   message  = api-key ' ' name ' ' ('request' | 'response') ' ' versions ' ' (versions | '-') fields
 *   fields   = (' ' field)*
 *   field    = name ':' ('[]'? primitive | '[' fields ' ]' | '{' fields ' }') mark*
 *   mark     = '@' versions      in these versions; without it in all
 *            | '?' versions      may be null in these
 *            | '=' default
 *            | '#' tag '@' versions    a tagged field (KIP-482)
 *   versions = number | number '-' number | number '+'
 */

export type Primitive =
  | 'bool'
  | 'i8'
  | 'i16'
  | 'u16'
  | 'i32'
  | 'u32'
  | 'i64'
  | 'f64'
  | 'str'
  | 'uuid'
  | 'bytes'
  | 'records';

export interface Versions {
  from: number;
  to: number;
}

export interface Field {
  name: string;
  array: boolean;
  /** A primitive, or the fields of a struct. */
  type: Primitive | Field[];
  versions: Versions;
  nullable: Versions;
  preset: string | undefined;
  tag: number | undefined;
  tagged: Versions;
}

export interface Message {
  apiKey: number;
  name: string;
  versions: Versions;
  /** From this version on strings and arrays are compact and structs end with tagged fields. */
  flexible: Versions;
  fields: Field[];
}

const NEVER: Versions = { from: 1, to: 0 };
const ALWAYS: Versions = { from: 0, to: 32_767 };

export const within = (versions: Versions, version: number): boolean =>
  version >= versions.from && version <= versions.to;

function parseVersions(text: string): Versions {
  if (text === '-') return NEVER;
  const [from = '', to] = text.split('-');
  if (from.endsWith('+')) return { from: Number(from.slice(0, -1)), to: ALWAYS.to };
  return { from: Number(from), to: Number(to ?? from) };
}

function applyMarks(field: Field, marks: string): Field {
  const [, versions, nullable, preset, tag, tagged] =
    /^(?:@([0-9+-]+))?(?:\?([0-9+-]+))?(?:=([^#]*))?(?:#([0-9]+)@([0-9+-]+))?$/.exec(marks) ?? [];
  assert(marks === '' || (versions ?? nullable ?? preset ?? tag) !== undefined, `marks ${marks}`);
  if (versions !== undefined) field.versions = parseVersions(versions);
  if (nullable !== undefined) field.nullable = parseVersions(nullable);
  field.preset = preset;
  if (tag !== undefined) field.tag = Number(tag);
  if (tagged !== undefined) field.tagged = parseVersions(tagged);
  return field;
}

/** Reads fields up to a closing bracket, which it leaves in `marks`, or to the end. */
function parseFields(tokens: string[]): { fields: Field[]; marks: string } {
  const fields: Field[] = [];
  for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
    if (token.startsWith(']') || token.startsWith('}')) return { fields, marks: token.slice(1) };
    const [, name = '', array, word = '', rest = ''] =
      /^(\w+):(\[\](?=[a-z]))?([[{]|[a-z0-9]+)(.*)$/.exec(token) ?? [];
    assert(name !== '', `token '${token}' of the message table`);
    const field: Field = {
      name,
      array: array !== undefined || word === '[',
      type: word as Primitive,
      versions: ALWAYS,
      nullable: NEVER,
      preset: undefined,
      tag: undefined,
      tagged: NEVER,
    };
    let marks = rest;
    if (word === '[' || word === '{') {
      const inner = parseFields(tokens);
      field.type = inner.fields;
      marks = inner.marks;
    }
    fields.push(applyMarks(field, marks));
  }
  return { fields, marks: '' };
}

const lines = new Map<string, string[]>();
for (const line of MESSAGE_TABLE) {
  const tokens = line.split(' ');
  lines.set(`${tokens[0]} ${tokens[2]}`, tokens);
}
const parsed = new Map<string, Message>();

/** How a request or response is laid out; undefined: not one of this table's release. */
export function messageOf(apiKey: number, kind: 'request' | 'response'): Message | undefined {
  const key = `${apiKey} ${kind}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const [number = '', name = '', , versions = '', flexible = '', ...rest] = lines.get(key) ?? [];
  if (number === '') return undefined;
  const message = {
    apiKey: Number(number),
    name,
    versions: parseVersions(versions),
    flexible: parseVersions(flexible),
    fields: parseFields(rest).fields,
  };
  parsed.set(key, message);
  return message;
}
