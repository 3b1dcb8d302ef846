import type { ReportData } from '../../core/model/report-data.ts';
import { html } from '../dom.ts';
import { count, length, words } from '../format.ts';

const SIGNS: Readonly<Record<string, string>> = { valid: '✓', invalid: '✗', unknown: '?' };
const MEANINGS: Readonly<Record<string, string>> = {
  valid: 'Nothing wrong was found, and enough was seen to say so.',
  invalid: 'At least one check that must hold does not.',
  unknown: 'Nobody can tell.',
};

/** The command that repeats the run, to be copied. */
function repeat(command: string): HTMLElement {
  const code = html('code', { tabindex: 0, id: 'repro' }, command);
  const button = html('button', { type: 'button' }, 'Copy');
  button.addEventListener('click', () => {
    const said = (text: string): void => {
      button.textContent = text;
    };
    navigator.clipboard.writeText(command).then(
      () => said('Copied'),
      () => {
        // No clipboard for a page opened from a file here: the text is selected instead.
        getSelection()?.selectAllChildren(code);
        said('Selected');
      },
    );
  });
  return html('p', { class: 'repro' }, html('span', {}, 'Repeat it: '), code, button);
}

function fact(name: string, value: string, note?: string): HTMLElement {
  return html(
    'div',
    {},
    html('dt', {}, name),
    html('dd', {}, value, note === undefined ? null : html('small', {}, note)),
  );
}

function facts(data: ReportData): HTMLElement {
  const { run, verdict } = data;
  const acted = data.bands.filter((band) => band.acted).length;
  const early = data.bands.filter((band) => band.early).length;
  const list = html('dl', { class: 'facts' }, fact('seed', run.seed));
  list.append(fact('lasted', length(data.endMs), run.startedAt));
  list.append(fact('faults', count(acted), early === 0 ? undefined : `${early} ended early`));
  if (verdict !== undefined) {
    const { counts, recovery } = verdict;
    list.append(
      fact('acknowledged', count(counts.acknowledged), `of ${count(counts.offered)} offered`),
      fact('read', count(counts.read)),
      fact('failed', count(counts.failed), `${count(counts.unknown)} unknown`),
    );
    if (recovery.never.length > 0) {
      list.append(fact('never came back', recovery.never.join(', ')));
    } else if (recovery.sendMs !== undefined) {
      list.append(fact('back after healing', length(recovery.sendMs)));
    }
  }
  return list;
}

/** The head of the page: what came out, of which seed, and how to see it again. */
export function banner(data: ReportData): HTMLElement {
  const word = data.verdict?.verdict ?? 'unknown';
  const { run } = data;
  const none = data.verdict === undefined;
  const reasons = data.verdict?.reasons ?? [];
  if (run.error !== undefined) reasons.push(run.error);
  return html(
    'header',
    { class: `banner ${word}` },
    html(
      'div',
      { class: 'word' },
      html('span', { class: 'sign', 'aria-hidden': 'true' }, SIGNS[word] ?? '?'),
      html('h1', {}, none ? 'no verdict' : word),
      html('p', {}, none ? `The run is in phase ${words(run.phase)}.` : (MEANINGS[word] ?? '')),
    ),
    html(
      'div',
      { class: 'what' },
      html('p', { class: 'name' }, run.scenario.name, ' ', html('small', {}, `run ${run.id}`)),
      run.scenario.description === undefined ? null : html('p', {}, run.scenario.description),
      reasons.length === 0
        ? null
        : html('ul', { class: 'reasons' }, ...reasons.map((reason) => html('li', {}, reason))),
      facts(data),
      repeat(data.repro),
    ),
  );
}
