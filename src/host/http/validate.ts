import { checkSchema, quoted } from '../../core/base/schema.ts';
import type { Problem } from '../../core/base/problem.ts';
import type { Route } from '../../core/model/api.ts';
import { HttpProblem } from './http-problem.ts';

/** What came in, before anybody looked at it. */
export interface RawRequest {
  params: unknown;
  query: unknown;
  body: unknown;
}

/**
 * What is wrong with a body beyond its shape, asked only of a body whose shape is wrong somewhere, so
 * that all problems come at once. @param fine whether the shape of the part at a path is right.
 */
export type BodyCheck = (body: unknown, fine: (path: string) => boolean) => Problem[];

function isEmpty(body: unknown): boolean {
  if (body === undefined || body === null) return true;
  return typeof body === 'object' && Object.keys(body).length === 0;
}

/**
 * Checks a request against its route: path, query and body together, all problems at once. Problems
 * of the body have a JSON pointer as path, those of the query '?name', those of the path '{name}'.
 * @throws HttpProblem 422 where the body is wrong, 400 where only path or query are.
 */
export function validateRequest(route: Route, raw: RawRequest, more?: BodyCheck): void {
  const outside: Problem[] = [];
  const check = (schema: Route['query'], document: unknown, mark: (path: string) => string) => {
    const checked = schema ? checkSchema(schema, document ?? {}) : undefined;
    if (checked && !checked.ok)
      outside.push(...checked.problems.map((each) => ({ ...each, path: mark(each.path) })));
  };
  check(route.pathParams, { ...(raw.params as object) }, (path) => `{${path.slice(1)}}`);
  check(route.query, { ...(raw.query as object) }, (path) => `?${path.slice(1)}`);
  if (!route.query) {
    for (const name of Object.keys((raw.query as object | null) ?? {}))
      outside.push({ path: `?${name}`, message: `${route.path} takes no query parameters` });
  }
  if (route.body === undefined) {
    if (!isEmpty(raw.body))
      outside.push({ path: '', message: `${route.path} takes no body`, found: quoted(raw.body) });
  } else if (raw.body === undefined) {
    outside.push({ path: '', message: 'a JSON body is missing' });
  } else {
    const checked = checkSchema(route.body, raw.body);
    if (!checked.ok) {
      const fine = (path: string): boolean =>
        !checked.problems.some((problem) => `${problem.path}/`.startsWith(`${path}/`));
      const problems = [...checked.problems, ...(more?.(raw.body, fine) ?? []), ...outside];
      const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
      throw new HttpProblem(422, `${count} in the request`, { problems });
    }
  }
  if (outside.length > 0)
    throw new HttpProblem(400, outside.map((each) => `${each.path}: ${each.message}`).join('; '), {
      problems: outside,
    });
}
