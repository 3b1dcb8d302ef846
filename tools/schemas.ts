import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DOCUMENT_SCHEMAS, schemaText } from '../src/core/model/document-schemas.ts';

/** Writes docs/reference/*.schema.json from the declarations; a test holds them fresh. */
const REFERENCE = join(import.meta.dirname, '..', 'docs', 'reference');
for (const name of Object.keys(DOCUMENT_SCHEMAS)) {
  writeFileSync(join(REFERENCE, `${name}.schema.json`), schemaText(name));
}
