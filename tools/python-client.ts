/**
 * Writes the generated half of the Python package: the REST client from the coordinator's OpenAPI
 * document, and a context manager for each fault kind. `node tools/docs.ts` calls it too.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from '../src/core/faults/registry.ts';
import { kindsModule } from './python/kinds.ts';
import { restModule, type OpenApi } from './python/rest.ts';

const ROOT = join(import.meta.dirname, '..');
const DOCUMENT = join(ROOT, 'docs', 'reference', 'openapi-coordinator.json');

/** Paths from the root, and what must stand there. */
export function pythonModules(): ReadonlyMap<string, string> {
  const document = JSON.parse(readFileSync(DOCUMENT, 'utf8')) as OpenApi;
  return new Map([
    ['python/src/faultline/kinds.py', kindsModule(KINDS)],
    ['python/src/faultline/rest.py', restModule(document)],
  ]);
}

/** Writes them. @returns their paths. */
export function writePythonModules(): string[] {
  const modules = pythonModules();
  for (const [path, text] of modules) writeFileSync(join(ROOT, path), text);
  return [...modules.keys()];
}

if (import.meta.main) console.log(writePythonModules().join('\n'));
