import { KINDS } from '../../src/core/faults/registry.ts';
import type { FaultKind } from '../../src/core/model/fault.ts';
import { fence, pageOf, table } from './markdown.ts';
import { parameterTable } from './parameters.ts';

/** Headings of a kind's own text go one level below the page's. */
function lowered(markdown: string): string {
  return markdown.replaceAll(/^(#+) /gm, '##$1 ');
}

function nodesOf(kind: FaultKind): string {
  if (kind.takesTargets !== undefined) return 'depends on the parameters';
  return kind.namesNodes ? 'named by its parameters' : 'named by `targets`';
}

function lasts(kind: FaultKind): string {
  if (kind.stands !== undefined) return 'until healed, or once: depends on the parameters';
  return kind.standing ? 'in force until healed' : 'happens once';
}

function kindPage(kind: FaultKind): string {
  const needs = kind.needs
    .map((set) => set.map((need) => `\`${need}\``).join(' and '))
    .filter((set) => set !== '');
  const facts = table(
    ['', ''],
    [
      ['lasts', lasts(kind)],
      ['nodes', nodesOf(kind)],
      ['needs', needs.length === 0 ? 'nothing' : needs.join(', or ')],
    ],
  );
  const examples = kind.examples.flatMap(({ title, params }) => [
    `**${title}**`,
    fence('yaml', `kind: ${kind.kind}\nparams: ${JSON.stringify(params)}`),
  ]);
  return pageOf(
    kind.kind,
    kind.summary,
    facts,
    '## What it does',
    lowered(kind.doc),
    '## Parameters',
    parameterTable(kind.params, 'None.'),
    '## Examples',
    ...examples,
  );
}

/** One page a kind, and the list of them. */
export function faultPages(): Map<string, string> {
  const pages = new Map<string, string>();
  for (const kind of KINDS) pages.set(`faults/${kind.kind}.md`, kindPage(kind));
  const rows = KINDS.map((kind) => [`[\`${kind.kind}\`](${kind.kind}.md)`, kind.summary]);
  const intro =
    'A fault is one instance of a kind. Its fields are the same for every kind ' +
    '([faults and healing](../../concepts/faults.md)); `params` are the kind’s own. Unknown fields are errors.';
  pages.set('faults/README.md', pageOf('Fault kinds', intro, table(['kind', 'what'], rows)));
  return pages;
}
