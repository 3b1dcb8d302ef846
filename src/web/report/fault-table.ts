import type { FaultStatus, NodeFaultStatus } from '../../core/model/fault-status.ts';
import type { FaultBand, ReportData } from '../../core/model/report-data.ts';
import { html, row, table, type Child } from '../dom.ts';
import { instant, length, words } from '../format.ts';
import { bandTrouble } from './lane-marks.ts';

function term(name: string, ...value: Child[]): HTMLElement[] {
  return [html('dt', {}, name), html('dd', {}, ...value)];
}

/** One measurement, as the agent took it. */
function answer(name: string, value: unknown): HTMLElement[] {
  return value === undefined ? [] : term(name, html('code', {}, JSON.stringify(value)));
}

function nodePart(name: string, node: NodeFaultStatus): HTMLElement {
  const { receipt } = node;
  const list = html('dl', { class: 'receipt' });
  list.append(
    ...term('state', node.state, node.endedBy ? `, ended by ${words(node.endedBy)}` : ''),
  );
  if (node.contact) {
    const until = node.contact.endsAtLatest ?? 'no known time';
    list.append(...term('contact', `lost since ${node.contact.lostSince}, ends by ${until}`));
  }
  if (receipt) {
    list.append(...term('effect', `${receipt.effect}: ${receipt.says}`));
    if (receipt.backend !== undefined) list.append(...term('backend', receipt.backend));
    if (receipt.actMs !== undefined) list.append(...term('acts took', length(receipt.actMs)));
    if (receipt.healMs !== undefined) list.append(...term('healing took', length(receipt.healMs)));
    list.append(...answer('before', receipt.before), ...answer('during', receipt.during));
    list.append(...answer('after', receipt.after));
    if (receipt.notes.length > 0) list.append(...term('notes', receipt.notes.join('; ')));
  }
  for (const step of node.plan ?? []) {
    list.append(...term('did', step.says, html('br'), html('small', {}, `undo: ${step.undo}`)));
  }
  for (const open of node.openUndos) {
    list.append(...term('stuck', `${open.says}: ${open.lastError} (${open.attempts} attempts)`));
  }
  for (const problem of node.problems)
    list.append(...term('refused', `${problem.path} ${problem.message}`));
  if (node.error !== undefined) list.append(...term('error', node.error));
  return html('div', {}, html('h4', {}, name), list);
}

/** The request, the selector's results and each node's receipt. */
function receipt(fault: FaultStatus): HTMLElement {
  const { selector } = fault;
  const named = selector && `${selector.expression} → ${selector.atArming.join(', ')}`;
  const changed =
    selector?.atFiring !== undefined && selector.atFiring.join() !== selector.atArming.join();
  return html(
    'details',
    {},
    html('summary', {}, `receipt of ${fault.id}`),
    html(
      'div',
      { class: 'nodes' },
      html('p', {}, 'request: ', html('code', {}, JSON.stringify(fault.request))),
      named ? html('p', {}, 'selector: ', named) : null,
      changed ? html('p', {}, `when it was to fire: ${selector?.atFiring?.join(', ')}`) : null,
      ...Object.entries(fault.nodes).map(([name, node]) => nodePart(name, node)),
    ),
  );
}

const HEADINGS = [
  'fault',
  'kind',
  'targets',
  'from',
  'lasted',
  'state',
  'ended by',
  'effect',
  'skew',
];

/** The row of a band, and one below it for the receipt, as wide as the table. */
function bandRows(band: FaultBand, data: ReportData): HTMLTableRowElement[] {
  const trouble = bandTrouble(band);
  const fault = data.faults.find(({ id }) => id === band.id);
  const swatch = html('span', { class: 'swatch solid', 'aria-hidden': 'true' });
  swatch.style.setProperty('--colour', data.kinds[band.kind]?.colour ?? 'gray');
  const name = band.occurrence > 1 ? `${band.id} (${band.occurrence})` : band.id;
  const cells = row(
    name,
    html('span', {}, swatch, ' ', band.kind),
    band.targets.join(', '),
    instant(band.fromMs),
    band.acted ? length(band.toMs - band.fromMs) : 'never acted',
    html(
      'span',
      { class: trouble === undefined ? '' : 'trouble' },
      trouble === undefined ? band.state : `⚠ ${trouble}`,
    ),
    band.endedBy === undefined ? '' : words(band.endedBy),
    band.effect,
    band.skewMs === undefined ? '' : length(band.skewMs),
  );
  if (band.occurrence === 1) {
    cells.id = `fault-${band.id}`;
    cells.tabIndex = -1;
  }
  if (fault === undefined) return [cells];
  const below = html('td', { colspan: HEADINGS.length }, receipt(fault));
  return [cells, html('tr', { class: 'below' }, below)];
}

/** What the schedule held and the coordinator would not do. */
function skippedTable({ run }: ReportData): HTMLElement | null {
  if (run.skipped.length === 0) return null;
  const rows = run.skipped.map(({ id, kind, atMs, reason }) =>
    row(id, kind, instant(atMs), reason),
  );
  return table(
    'Faults of the schedule that were not to be (times count from the begin of the faults)',
    ['fault', 'kind', 'due', 'why not'],
    rows,
  );
}

/** The table of every fault, with what was measured. */
export function faultTable(data: ReportData): HTMLElement {
  const rows = data.bands.flatMap((band) => bandRows(band, data));
  return html(
    'section',
    { id: 'faults' },
    html('h2', {}, 'Faults'),
    rows.length === 0
      ? html('p', {}, 'No fault was in force during this run.')
      : table('Faults in the order in which they began, with their receipts', HEADINGS, rows),
    skippedTable(data),
  );
}
