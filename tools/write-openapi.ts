import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AGENT_ROUTES, COORDINATOR_ROUTES } from '../src/core/model/api.ts';
import { openApiOf } from '../src/core/model/openapi.ts';
import { VERSION } from '../src/host/version.ts';

/** The checked-in OpenAPI documents by path: what the daemons serve at /openapi.json. */
export const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'docs/reference/openapi-coordinator.json': () =>
    text(openApiOf(COORDINATOR_ROUTES, { title: 'Faultline coordinator', version: VERSION })),
  'docs/reference/openapi-agent.json': () =>
    text(openApiOf(AGENT_ROUTES, { title: 'Faultline agent', version: VERSION })),
};

function text(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

// Called as a program (node tools/write-openapi.ts): writes them anew.
if (import.meta.main) {
  for (const [path, make] of Object.entries(DOCUMENTS)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, make());
  }
}
