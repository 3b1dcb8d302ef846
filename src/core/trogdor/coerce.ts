/** What of a schema is looked at here. */
interface Shape {
  type?: string;
  items?: Shape;
  properties?: Record<string, Shape>;
  patternProperties?: Record<string, Shape>;
  anyOf?: Shape[];
  const?: unknown;
  default?: unknown;
}

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A value as Trogdor's JSON library (Jackson) takes it: numbers written as text, fractions cut off, one
 * value where a list is expected, null for the default. What cannot be read so is left for the schema
 * to refuse. Absent members get the schema's defaults, in the schema's order.
 */
export function coerce(schema: unknown, value: unknown): unknown {
  const shape = schema as Shape;
  switch (shape.type) {
    case 'integer':
      return toInteger(value);
    case 'number':
      return typeof value === 'string' && /^-?[0-9.]{1,15}$/.test(value) ? Number(value) : value;
    case 'string':
      return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    case 'array':
      return (Array.isArray(value) ? value : [value]).map((item) => coerce(shape.items, item));
    case 'object':
      return isObject(value) ? coerceMembers(shape, value) : value;
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value;
    default:
      return shape.anyOf ? coerceForm(shape.anyOf, value) : value;
  }
}

/** Of several forms the one that the member 'type' names. */
function coerceForm(forms: readonly Shape[], value: unknown): unknown {
  if (!isObject(value)) return value;
  const form = forms.find(({ properties }) => properties?.['type']?.const === value['type']);
  return form ? coerceMembers(form, value) : value;
}

function toInteger(value: unknown): unknown {
  if (typeof value === 'string' && /^-?[0-9]{1,15}$/.test(value)) return Number(value);
  return typeof value === 'number' ? Math.trunc(value) : value;
}

function coerceMembers(shape: Shape, value: Fields): Fields {
  const properties = shape.properties ?? {};
  const known = Object.entries(properties).flatMap(([name, member]) => {
    const given = (Object.hasOwn(value, name) ? value[name] : undefined) ?? member.default;
    return given === undefined ? [] : [[name, coerce(member, given)] as const];
  });
  const [others] = Object.values(shape.patternProperties ?? {});
  const further = Object.entries(value)
    .filter(([name]) => !Object.hasOwn(properties, name))
    .map(([name, given]) => [name, others ? coerce(others, given) : given] as const);
  // Not by assignment: a member called __proto__ is one like all others.
  return Object.fromEntries([...known, ...further]);
}

/** As Trogdor writes a spec: without empty texts, lists and maps. */
export function withoutEmpty(value: unknown): unknown {
  if (!isObject(value)) return value;
  const kept = Object.entries(value)
    .map(([name, member]) => [name, withoutEmpty(member)] as const)
    .filter(([, member]) => !isEmpty(member));
  return Object.fromEntries(kept);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}
