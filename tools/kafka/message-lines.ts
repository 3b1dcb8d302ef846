import { readJar } from './jar.ts';

/** A field of Kafka's message specifications (common/message/*.json in kafka-clients). */
interface SpecField {
  name: string;
  type: string;
  versions?: string;
  nullableVersions?: string;
  taggedVersions?: string;
  tag?: number;
  default?: string | number | boolean;
  fields?: SpecField[];
}

export interface Spec {
  apiKey?: number;
  type: string;
  name: string;
  validVersions: string;
  flexibleVersions: string;
  fields: SpecField[];
  commonStructs?: { name: string; fields: SpecField[] }[];
}

/** Every request and response that the jar's release speaks. The files are JSON with comments. */
export function readSpecs(jar: string): Spec[] {
  const files = readJar(jar, /^common\/message\/[A-Za-z]+(Request|Response)\.json$/);
  return [...files.values()]
    .map((text) => JSON.parse(text.replaceAll(/^\s*\/\/.*$|\s\/\/ .*$/gm, '')) as Spec)
    .filter((spec) => spec.validVersions !== 'none');
}

const TYPES: Readonly<Record<string, string>> = {
  bool: 'bool',
  int8: 'i8',
  int16: 'i16',
  uint16: 'u16',
  int32: 'i32',
  uint32: 'u32',
  int64: 'i64',
  float64: 'f64',
  string: 'str',
  uuid: 'uuid',
  bytes: 'bytes',
  records: 'records',
};

/** Numbers in the specifications may be hexadecimal text, and several types write them so. */
function defaultOf(field: SpecField): string {
  const value = field.default;
  if (value === undefined || value === '' || value === 'null') return '';
  const text = String(value);
  return /^0x/i.test(text) ? BigInt(text).toString() : text;
}

function marks(field: SpecField): string {
  const { versions = '0+', nullableVersions, taggedVersions, tag } = field;
  const parts = [versions === '0+' ? '' : `@${versions}`];
  if (nullableVersions !== undefined) parts.push(`?${nullableVersions}`);
  const preset = defaultOf(field);
  if (preset !== '') parts.push(`=${preset}`);
  else if (field.default === 'null') parts.push('=null');
  if (tag !== undefined) parts.push(`#${tag}@${taggedVersions ?? versions}`);
  return parts.join('');
}

const lower = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function fieldLine(field: SpecField, structs: ReadonlyMap<string, SpecField[]>): string {
  const array = field.type.startsWith('[]');
  const type = array ? field.type.slice(2) : field.type;
  const primitive = TYPES[type];
  const head = `${lower(field.name)}:`;
  if (primitive !== undefined) return `${head}${array ? '[]' : ''}${primitive}${marks(field)}`;
  const inner = (field.fields ?? structs.get(type) ?? []).map((one) => fieldLine(one, structs));
  const [open, close] = array ? ['[', ']'] : ['{', '}'];
  return `${head}${open} ${inner.join(' ')} ${close}${marks(field)}`;
}

/** One message in the grammar of src/core/codec/kafka/message.ts. */
export function messageLine(spec: Spec): string {
  const structs = new Map((spec.commonStructs ?? []).map((one) => [one.name, one.fields]));
  const fields = spec.fields.map((field) => fieldLine(field, structs));
  const flexible = spec.flexibleVersions === 'none' ? '-' : spec.flexibleVersions;
  return [spec.validVersions, flexible, ...fields].join(' ');
}

/** The whole table, requests before responses, by API key. */
export function messageTable(jar: string): string[] {
  return readSpecs(jar)
    .toSorted((a, b) => (a.apiKey ?? 0) - (b.apiKey ?? 0) || (a.name < b.name ? -1 : 1))
    .map((spec) => {
      const [, name = '', kind = ''] = /^(.*)(Request|Response)$/.exec(spec.name) ?? [];
      return `${spec.apiKey} ${name} ${kind.toLowerCase()} ${messageLine(spec)}`;
    });
}
