import type { ReportData } from '../../core/model/report-data.ts';
import { html, row, table } from '../dom.ts';
import { length } from '../format.ts';

function document(name: string, text: string): HTMLElement {
  return html('details', {}, html('summary', {}, name), html('pre', { tabindex: 0 }, text));
}

function nodeTable(data: ReportData): HTMLElement {
  const rows = data.nodes.map((node) => {
    const unmet = node.capabilities.filter(({ met }) => !met);
    return row(
      node.name,
      node.roles.join(', '),
      node.addresses.join(', '),
      node.link === 'linked'
        ? 'linked'
        : `⚠ ${node.link}${node.linkError ? `: ${node.linkError}` : ''}`,
      node.clock ? `${length(node.clock.offsetMs)} ± ${length(node.clock.uncertaintyMs)}` : '',
      node.version ?? '',
      unmet.map(({ need, why }) => `${need}: ${why}`).join('; ') || 'all needs met',
    );
  });
  const headings = ['node', 'roles', 'addresses', 'agent', 'clock offset', 'version', 'cannot'];
  return table('Nodes of the cluster under test', headings, rows);
}

/** What is needed to understand or repeat the run later. */
export function details(data: ReportData): HTMLElement {
  const { run } = data;
  const kinds = run.schedule.kinds.join(', ') || 'none';
  return html(
    'section',
    { id: 'details' },
    html('h2', {}, 'Details'),
    nodeTable(data),
    document('Scenario', data.scenarioText),
    document(`Schedule: what the seed made (kinds left on: ${kinds})`, data.scheduleText),
    html(
      'p',
      { class: 'note' },
      `Faultline ${data.version} · run ${run.id} from ${run.startedAt} to ${run.endedAt ?? 'now'} · ` +
        `${run.outcome ?? 'not finished'} · written ${data.generatedAt}. Same version, same scenario, same ` +
        `seed: the same schedule, byte for byte. Which packet is lost is the kernel's business.`,
    ),
  );
}
