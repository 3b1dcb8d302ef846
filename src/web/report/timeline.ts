import type { ReportData } from '../../core/model/report-data.ts';
import { html } from '../dom.ts';
import { instant, words } from '../format.ts';
import { charts } from './charts.ts';
import { laneLegend } from './lane-marks.ts';
import { lanes } from './lanes.ts';
import { indexAt } from './layout.ts';
import { TimeView } from './time-view.ts';

/** What was the case at an instant, in words. */
export function describeInstant(data: ReportData, ms: number): string {
  const phase = data.phases.find(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);
  const inForce = data.bands
    .filter((band) => band.acted && band.fromMs <= ms && ms <= band.toMs)
    .map((band) => `${band.id} (${band.kind} on ${band.targets.join(', ')})`);
  const row = indexAt(data.cluster.atMs, ms);
  const controller = data.cluster.controller[row];
  const parts = [instant(ms), phase === undefined ? undefined : words(phase.phase)];
  parts.push(inForce.length === 0 ? 'no fault in force' : `in force: ${inForce.join('; ')}`);
  if (controller !== undefined) {
    parts.push(controller < 0 ? 'no active controller known' : `controller: node ${controller}`);
  }
  return parts.filter((part) => part !== undefined).join(' · ');
}

function readout(data: ReportData, view: TimeView): HTMLElement {
  const element = html('p', { class: 'readout', role: 'status', 'aria-live': 'polite' });
  const update = (): void => {
    element.textContent =
      view.cursorMs === undefined
        ? 'Point at the timeline, or press ← and → in it, to read an instant.'
        : describeInstant(data, view.cursorMs);
  };
  view.onCursor(update);
  update();
  return element;
}

const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };

/** Lets the keyboard move the instant: a second a press, ten with shift. */
function listenToKeys(element: HTMLElement, view: TimeView): void {
  element.addEventListener('keydown', (event) => {
    const way = KEYS[event.key];
    if (event.key === 'Escape') view.showAll();
    if (way === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    view.step(way * (event.shiftKey ? 10_000 : 1_000));
  });
}

/** The section with all that happened when. `draw` lays it out for the page's present width. */
export function timeline(data: ReportData): {
  element: HTMLElement;
  view: TimeView;
  draw(): void;
} {
  const view = new TimeView(0, data.endMs);
  const holder = html('div', { class: 'lanes' });
  const drawLanes = lanes(data, view, holder);
  const drawCharts = charts(data, view);
  const all = html('button', { type: 'button', class: 'all', hidden: true }, 'Show all');
  all.addEventListener('click', () => view.showAll());
  view.onRange(() => {
    all.hidden = !view.zoomed;
  });
  const stage = html(
    'div',
    {
      class: 'stage',
      tabindex: 0,
      role: 'group',
      'aria-label': 'Timeline; arrow keys move the instant',
    },
    holder,
    ...drawCharts.elements,
  );
  listenToKeys(stage, view);
  const element = html(
    'section',
    { id: 'timeline' },
    html('h2', {}, 'Timeline'),
    html('div', { class: 'reading' }, readout(data, view), all),
    stage,
    laneLegend(),
  );
  const draw = (): void => {
    const width = Math.max(280, Math.floor(stage.clientWidth));
    drawLanes.draw(width);
    drawCharts.draw(width);
  };
  return { element, view, draw };
}
