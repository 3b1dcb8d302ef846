import { AGENT_ROUTES, COORDINATOR_ROUTES, type Route } from '../../src/core/model/api.ts';
import { pageOf, table } from './markdown.ts';
import { parameterTable } from './parameters.ts';

function meanings(of: Readonly<Record<number, string>>): string {
  return Object.entries(of)
    .map(([status, meaning]) => `${status}: ${meaning}`)
    .join('; ');
}

function routePart(route: Route): string {
  const facts = [
    ['access', route.access === 'none' ? 'no token needed' : `token that may \`${route.access}\``],
    ['answers', meanings(route.answers)],
    ['errors', meanings(route.errors) || 'only those of every route'],
    ['idempotent', route.idempotent ? 'yes' : 'no'],
  ];
  if (route.stream !== undefined) facts.push(['content type', `\`${route.stream}\``]);
  const parts = [`### \`${route.method} ${route.path}\``, route.summary, table(['', ''], facts)];
  if (route.query) parts.push(`Query:\n\n${parameterTable(route.query, 'none')}`);
  if (route.body) parts.push(`Body:\n\n${parameterTable(route.body, 'any JSON object')}`);
  return parts.join('\n\n');
}

function overview(routes: readonly Route[]): string {
  return table(
    ['route', 'what'],
    routes.map((route) => [`\`${route.method} ${route.path}\``, route.summary]),
  );
}

const COMMON = `Requests and answers are JSON. A token goes in \`Authorization: Bearer TOKEN\`; what it
may do is in its file ([safety](../concepts/safety.md)). Errors are problem details (RFC 9457,
\`application/problem+json\`) with every problem of a document at once: its path, what was found, what
was expected and a near miss. Every route may answer 400 (not JSON, a bad query), 401 (no token or a
wrong one), 403 (a token that may not, a foreign Host or Origin), 413 (too large) and 500 (a bug).
The same as OpenAPI 3.1: [coordinator](openapi-coordinator.json), [agent](openapi-agent.json), and
\`GET /openapi.json\` of each daemon.`;

/** Both daemons' routes. Routes they share stand once. */
export function restPage(): string {
  const shared = (route: Route): boolean =>
    COORDINATOR_ROUTES.some(
      (other) =>
        other.method === route.method && other.path === route.path && other.body === route.body,
    );
  const own = AGENT_ROUTES.filter((route) => !shared(route));
  const both = AGENT_ROUTES.filter(shared)
    .map((route) => `\`${route.method} ${route.path}\``)
    .join(', ');
  return pageOf(
    'REST API',
    COMMON,
    '## Coordinator',
    overview(COORDINATOR_ROUTES),
    ...COORDINATOR_ROUTES.map(routePart),
    '## Agent',
    `An agent has these routes just as the coordinator does: ${both}. And these of its own:`,
    overview(own),
    ...own.map(routePart),
  );
}
