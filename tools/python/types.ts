/** JSON Schemas as Python's types: objects become TypedDicts that Python 3.9 understands. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  patternProperties?: Record<string, Schema>;
  description?: string;
}

const SIMPLE: Readonly<Record<string, string>> = {
  string: 'str',
  integer: 'int',
  number: 'float',
  boolean: 'bool',
  null: 'None',
};

function literal(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return value === null ? 'None' : JSON.stringify(value);
}

export const pascal = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** 'topicPartitions' and 'network.partition' as Python names things. */
export const snake = (name: string): string =>
  name
    .replaceAll(/[.-]/g, '_')
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`)
    .toLowerCase();

/** Python types of schemas; the classes they need are collected as they come up. */
export class PythonTypes {
  readonly classes: string[] = [];
  /** What an object's class is called, by its schema as text: the same shape has one class. */
  readonly #names = new Map<string, string>();

  /** @param name what a class made for this schema is called, where it needs one. */
  of(schema: Schema, name: string): string {
    if (schema.$ref !== undefined) return JSON.stringify(schema.$ref.split('/').at(-1));
    if (schema.enum) return `Literal[${schema.enum.map(literal).join(', ')}]`;
    if (schema.const !== undefined) return `Literal[${literal(schema.const)}]`;
    if (schema.anyOf) {
      const parts = schema.anyOf.map((part, index) => this.of(part, `${name}${index || ''}`));
      return `Union[${[...new Set(parts)].join(', ')}]`;
    }
    if (schema.type === 'array') {
      return `List[${schema.items ? this.of(schema.items, `${name}Item`) : 'Any'}]`;
    }
    if (schema.type === 'object') return this.#object(schema, name);
    return (typeof schema.type === 'string' ? SIMPLE[schema.type] : undefined) ?? 'Any';
  }

  #object(schema: Schema, name: string): string {
    if (schema.properties && Object.keys(schema.properties).length > 0) {
      return this.declare(schema, name);
    }
    const extra = schema.additionalProperties;
    const value =
      Object.values(schema.patternProperties ?? {})[0] ??
      (typeof extra === 'object' ? extra : undefined);
    return `Dict[str, ${value ? this.of(value, `${name}Value`) : 'Any'}]`;
  }

  /** A class with the fields of an object; those that may be absent stand in a second one. */
  declare(schema: Schema, name: string): string {
    const shape = JSON.stringify(schema);
    const known = this.#names.get(shape);
    if (known !== undefined) return known;
    this.#names.set(shape, name);
    this.classes.push(...this.#classes(schema, name));
    return name;
  }

  #classes(schema: Schema, name: string): string[] {
    const required = new Set(schema.required);
    const lines = { required: [] as string[], optional: [] as string[] };
    for (const [field, part] of Object.entries(schema.properties ?? {})) {
      const type = this.of(part, `${name}${pascal(field)}`);
      lines[required.has(field) ? 'required' : 'optional'].push(
        `${JSON.stringify(field)}: ${type}`,
      );
    }
    // Called, not written as a class: a field may be called as a word of Python's ('from').
    const make = (called: string, fields: readonly string[], total: boolean): string => {
      const body = fields.map((field) => `        ${field},`).join('\n');
      const tail = total ? '' : '    total=False,\n';
      return `${called} = TypedDict(\n    ${JSON.stringify(called)},\n    {\n${body}\n    },\n${tail})`;
    };
    if (lines.required.length === 0) return [make(name, lines.optional, false)];
    if (lines.optional.length === 0) return [make(name, lines.required, true)];
    return [
      make(`_${name}Required`, lines.required, true),
      make(`_${name}Optional`, lines.optional, false),
      `class ${name}(_${name}Required, _${name}Optional):\n    pass\n`,
    ];
  }
}
