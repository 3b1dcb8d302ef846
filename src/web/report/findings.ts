import type { ReportData } from '../../core/model/report-data.ts';
import type { Anomaly, Verdict } from '../../core/model/verdict.ts';
import { html, row, table } from '../dom.ts';
import { count, instant, length, words } from '../format.ts';
import type { TimeView } from './time-view.ts';

/** A button that moves the timeline's instant to where something happened. */
function whenButton(ms: number, view: TimeView): HTMLElement {
  const button = html('button', { type: 'button', class: 'when' }, instant(ms, 3));
  button.addEventListener('click', () => {
    view.showAll();
    view.point(ms);
    document.getElementById('timeline')?.scrollIntoView();
  });
  return button;
}

function evidence(anomaly: Anomaly, index: number, data: ReportData, view: TimeView): HTMLElement {
  const rows = anomaly.examples.map((example, number) => {
    const ms = data.exampleTimesMs[`${index}/${number}`];
    const topicPartition =
      example.topic === undefined ? '' : `${example.topic}-${example.topicPartition ?? '?'}`;
    return row(
      example.says,
      topicPartition,
      example.offset ?? '',
      example.value ?? '',
      example.other ?? '',
      ms === undefined ? '' : whenButton(ms, view),
      example.index === undefined ? '' : `line ${example.index}`,
    );
  });
  const shown =
    anomaly.examples.length < anomaly.count ? `, the first ${anomaly.examples.length}` : '';
  const headings = ['what', 'topic-partition', 'offset', 'value', 'other', 'when', 'history'];
  return html(
    'article',
    { class: anomaly.counts ? 'anomaly' : 'anomaly aside' },
    html(
      'h3',
      {},
      `${words(anomaly.kind)}: ${count(anomaly.count)} `,
      html(
        'small',
        {},
        `found by ${anomaly.checker}${anomaly.counts ? '' : '; does not count here'}`,
      ),
    ),
    table(`Evidence of ${words(anomaly.kind)}${shown}`, headings, rows),
  );
}

export function anomalies(data: ReportData, view: TimeView): HTMLElement {
  const found = data.verdict?.anomalies ?? [];
  return html(
    'section',
    { id: 'anomalies' },
    html('h2', {}, 'Anomalies'),
    ...(found.length === 0
      ? [html('p', {}, data.verdict === undefined ? 'Nothing was checked.' : 'None were found.')]
      : found.map((anomaly, index) => evidence(anomaly, index, data, view))),
  );
}

function checkTable(verdict: Verdict): HTMLElement {
  const rows = Object.entries(verdict.checks).map(([name, outcome]) =>
    row(
      words(name),
      html('span', { class: `verdict ${outcome.verdict}` }, outcome.verdict),
      outcome.reason ?? '',
    ),
  );
  return table('Checkers and what each of them says', ['checker', 'verdict', 'why'], rows);
}

function countTable(verdict: Verdict): HTMLElement {
  const { counts } = verdict;
  const rows = [
    row('offered', count(counts.offered), 'due by the timetable'),
    row('acknowledged', count(counts.acknowledged), 'the cluster said they are stored'),
    row('failed', count(counts.failed), 'certainly not written'),
    row(
      'unknown',
      count(counts.unknown),
      `nobody knows; ${count(counts.unknownButRead)} of them were read`,
    ),
    row('read', count(counts.read), 'different values, at least once'),
    row('rows polled', count(counts.polledRows), 'the same value counted each time'),
    row('requests', `${count(counts.sends)} sends, ${count(counts.polls)} polls`, ''),
  ];
  return table('What the workload did, in records', ['records', 'count', 'meaning'], rows);
}

function availabilityTable(data: ReportData, verdict: Verdict): HTMLElement {
  const { availability, recovery } = verdict;
  const rows = [...data.windows]
    .sort((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs))
    .slice(0, 20)
    .map((window) =>
      row(
        window.topicPartition,
        window.kind === 'send' ? 'sends' : 'reads',
        instant(window.fromMs),
        `${length(window.toMs - window.fromMs)}${window.open ? ', to the end' : ''}`,
        window.faults.join(', ') || 'no fault in force',
      ),
    );
  const shown = Math.min(20, rows.length);
  return html(
    'div',
    {},
    html(
      'p',
      {},
      `${count(availability.count)} stretches of ${length(availability.thresholdMs)} or more without success; ` +
        `longest without an acknowledged send ${length(availability.longestSendMs)}, without a read ` +
        `${length(availability.longestPollMs)}; ${count(availability.withoutFault)} with no fault in force.`,
    ),
    recovery.healedNs === undefined
      ? null
      : html(
          'p',
          {},
          `After the last fault healed: sends back after ${length(recovery.sendMs)}, reads after ${length(recovery.pollMs)}` +
            (recovery.never.length === 0
              ? '.'
              : `; never came back: ${recovery.never.join(', ')}.`),
        ),
    data.run.recovery === undefined ? null : html('p', {}, data.run.recovery.says),
    rows.length === 0
      ? null
      : table(
          `The ${shown} longest stretches without success`,
          ['topic-partition', 'of', 'from', 'lasted', 'faults in force'],
          rows,
        ),
  );
}

export function checks(data: ReportData): HTMLElement {
  const { verdict } = data;
  return html(
    'section',
    { id: 'checks' },
    html('h2', {}, 'Checks, counts and availability'),
    ...(verdict === undefined
      ? [html('p', {}, 'The run did not come to its checks.')]
      : [checkTable(verdict), countTable(verdict), availabilityTable(data, verdict)]),
  );
}
