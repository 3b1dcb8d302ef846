import type { TSchema } from 'typebox';
import { Scenario } from './scenario.ts';
import { Cluster } from './topology.ts';

/** The documents people write, by the name of their schema file in docs/reference. */
export const DOCUMENT_SCHEMAS: Readonly<Record<string, { title: string; schema: TSchema }>> = {
  scenario: { title: 'Faultline scenario', schema: Scenario },
  cluster: { title: 'Faultline cluster', schema: Cluster },
};

/** The text of a schema file (JSON Schema 2020-12), for editors. @param name a key of the above. */
export function schemaText(name: string): string {
  const entry = DOCUMENT_SCHEMAS[name];
  const { $id: _inner, ...schema } = { $id: '', ...(entry?.schema as Record<string, unknown>) };
  const $schema = 'https://json-schema.org/draft/2020-12/schema';
  return `${JSON.stringify({ $schema, title: entry?.title, ...schema }, null, 2)}\n`;
}
