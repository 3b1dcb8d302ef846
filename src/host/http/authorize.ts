import type { Route } from '../../core/model/api.ts';
import { HttpProblem } from './http-problem.ts';
import type { Identity, Tokens } from './tokens.ts';

export const NOBODY: Identity = { name: 'nobody', role: 'read' };

/** Whose token a request carries. @throws HttpProblem 401, 403 */
export function authorize(
  route: Route,
  authorization: string | undefined,
  tokens: Tokens,
): Identity {
  if (route.access === 'none') return tokens.identify(authorization) ?? NOBODY;
  const identity = tokens.identify(authorization);
  if (!identity) {
    const detail =
      authorization === undefined
        ? 'a token is needed: Authorization: Bearer TOKEN'
        : 'this token is not known here';
    throw new HttpProblem(401, detail, { headers: { 'www-authenticate': 'Bearer' } });
  }
  if (route.access === 'operate' && identity.role !== 'operate')
    throw new HttpProblem(403, `token '${identity.name}' may read, not operate`);
  return identity;
}
