import {
  generateHelpTextForAllCommands,
  type Application,
  type CommandContext,
} from '@stricli/core';
import { buildApp } from '../../src/cli/app.ts';
import { CHECKERS } from '../../src/core/checkers/registry.ts';
import { EVENT_TYPES } from '../../src/core/model/event-types.ts';
import {
  ENDED,
  ENDED_BY,
  endedEarly,
  STATES,
  TRANSITIONS,
} from '../../src/core/model/lifecycle.ts';
import { WORKLOADS } from '../../src/core/workloads/registry.ts';
import { faultPages } from './faults.ts';
import { fence, pageOf, table } from './markdown.ts';
import { parameterTable } from './parameters.ts';
import { restPage } from './rest.ts';

function lifecyclePage(): string {
  const arrows = STATES.flatMap((state) =>
    TRANSITIONS[state].map((next) => `  ${state} --> ${next}`),
  );
  const ends = ENDED.map((state) => `  ${state} --> [*]`);
  const diagram = ['stateDiagram-v2', '  [*] --> pending', ...arrows, ...ends].join('\n');
  const rows = STATES.map((state) => [
    `\`${state}\``,
    TRANSITIONS[state].map((next) => `\`${next}\``).join(', ') || 'nothing: it has ended',
  ]);
  const enders = ENDED_BY.map((by) => [`\`${by}\``, endedEarly(by) ? 'early' : 'as planned']);
  return pageOf(
    'Lifecycle of a fault',
    'Every node’s part in a fault goes through these states; the worst of them speaks for the fault. ' +
      'What they mean: [faults and healing](../concepts/faults.md).',
    fence('mermaid', diagram),
    table(['state', 'may become'], rows),
    '## What ends a fault',
    table(['`endedBy`', ''], enders),
  );
}

function eventsPage(): string {
  const rows = Object.entries(EVENT_TYPES).map(([type, when]) => [`\`${type}\``, when]);
  return pageOf(
    'Events',
    '`GET /v1/events` of both daemons is a stream of server-sent events; `Last-Event-ID` (or `?after=`) ' +
      'resumes after an id, `?fault=` and `?run=` choose. The data of each is one JSON object: `id`, `at` ' +
      '(RFC 3339), `type`, `message`, and `fault`, `node`, `run`, `data` where they apply.',
    table(['type', 'when'], rows),
  );
}

function checksPage(): string {
  const checkers = CHECKERS.map(({ name, summary, kinds }) => [
    `\`${name}\``,
    summary,
    kinds.map((kind) => `\`${kind}\``).join(', '),
  ]);
  const workloads = WORKLOADS.flatMap(({ kind, summary, params }) => [
    `### \`${kind}\``,
    summary,
    parameterTable(params, 'No parameters.'),
  ]);
  return pageOf(
    'Workloads and checkers',
    'A scenario’s `workload` names one of these workloads; its `checks` names checkers or kinds of ' +
      'anomaly that must not occur (all of them where it names none). See [verdicts](../concepts/verdicts.md).',
    '## Checkers',
    table(['checker', 'what it judges', 'anomalies'], checkers),
    '## Workloads',
    ...workloads,
  );
}

async function cliPage(): Promise<string> {
  // Help texts don't touch the context, whichever it is.
  const app = (await buildApp('all', 'VERSION')) as unknown as Application<CommandContext>;
  const parts = generateHelpTextForAllCommands(app).flatMap(([name, text]) => [
    `## \`${name}\``,
    fence('text', text.replaceAll(/[ \t]+$/gm, '')),
  ]);
  return pageOf('Command line', 'What `--help` says of every command.', ...parts);
}

function indexPage(): string {
  return pageOf(
    'Reference',
    'Made from the declarations in the code; a test holds it to them.',
    [
      '- [Fault kinds](faults/README.md)',
      '- [Workloads and checkers](checks.md)',
      '- [Command line](cli.md)',
      '- [REST API](rest.md), as OpenAPI 3.1: [coordinator](openapi-coordinator.json), [agent](openapi-agent.json)',
      '- [Events](events.md)',
      '- [Lifecycle of a fault](lifecycle.md)',
      '- [The random generator](random.md)',
      '- JSON Schemas for editors: [scenario](scenario.schema.json), [cluster](cluster.schema.json)',
    ].join('\n'),
  );
}

/** Every generated page, by its path in docs/reference. */
export async function referencePages(): Promise<Map<string, string>> {
  return new Map([
    ...faultPages(),
    ['README.md', indexPage()],
    ['rest.md', restPage()],
    ['lifecycle.md', lifecyclePage()],
    ['events.md', eventsPage()],
    ['checks.md', checksPage()],
    ['cli.md', await cliPage()],
  ]);
}
