import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { AGENT_ROUTES, COORDINATOR_ROUTES } from '../../../src/core/model/api.ts';
import { DOCUMENTS } from '../../../tools/write-openapi.ts';

interface Document {
  paths: Record<string, Record<string, { operationId: string; responses: object }>>;
  components: { schemas: Record<string, unknown> };
}

describe('OpenAPI documents', () => {
  for (const [path, make] of Object.entries(DOCUMENTS)) {
    it(`${path} is fresh (node tools/write-openapi.ts writes it anew)`, () => {
      assert.equal(readFileSync(path, 'utf8'), make());
    });

    it(`${path} has every route, and every reference leads somewhere`, () => {
      const document = JSON.parse(make()) as Document;
      const operations = Object.values(document.paths).flatMap((each) => Object.values(each));
      const routes = path.includes('agent') ? AGENT_ROUTES : COORDINATOR_ROUTES;
      assert.deepEqual(
        operations.map((each) => each.operationId).sort(),
        routes.map((route) => route.name).sort(),
      );
      for (const [, name = ''] of make().matchAll(/#\/components\/schemas\/(\w+)"/g))
        assert.ok(Object.hasOwn(document.components.schemas, name), name);
      assert.ok(!make().includes('"$id"'));
    });
  }
});
