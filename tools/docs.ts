/** Writes docs/reference, and what of the Python package is generated: `node tools/docs.ts`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { referencePages } from './docs/pages.ts';
import { writePythonModules } from './python-client.ts';

const FOLDER = path.join(import.meta.dirname, '..', 'docs', 'reference');

const pages = await referencePages();
for (const [name, text] of pages) {
  const file = path.join(FOLDER, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}
// A kind that is no more has no page.
for (const name of readdirSync(path.join(FOLDER, 'faults'))) {
  if (!pages.has(`faults/${name}`)) rmSync(path.join(FOLDER, 'faults', name));
}
console.log(`${pages.size} pages in docs/reference`);
console.log(writePythonModules().join('\n'));
