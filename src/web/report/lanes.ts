import type { ReportData } from '../../core/model/report-data.ts';
import { svg } from '../dom.ts';
import { instant, length, words } from '../format.ts';
import { drawMark, faultMark, fitted, hatch, type Mark } from './lane-marks.ts';
import { merged, rowsOf, stretches, ticks } from './layout.ts';
import { marginsFor, type TimeView } from './time-view.ts';

interface Lane {
  name: string;
  marks: Mark[];
  rows: number[];
  rowHeight: number;
}

const AXIS_HEIGHT = 22;

function lane(name: string, marks: Mark[], rowHeight: number, gapMs = 0): Lane {
  return { name, marks, rows: rowsOf(marks, gapMs), rowHeight };
}

/** Stretches without acknowledged sends (or reads), all topic-partitions put together. */
function windowLane(data: ReportData, kind: 'send' | 'poll'): Lane | undefined {
  const windows = data.windows.filter((window) => window.kind === kind);
  if (windows.length === 0) return undefined;
  const what = kind === 'send' ? 'sends acknowledged' : 'records read';
  const marks = merged(windows).map(({ fromMs, toMs, count }): Mark => {
    const of = count === 1 ? 'a topic-partition' : `${count} topic-partitions or times`;
    return {
      fromMs,
      toMs,
      label: length(toMs - fromMs),
      says: `no ${what} of ${of}, ${instant(fromMs)} to ${instant(toMs)}`,
      look: `window ${kind}`,
    };
  });
  return lane(kind === 'send' ? 'no sends' : 'no reads', marks, 16);
}

function controllerLane(data: ReportData): Lane | undefined {
  const parts = stretches(data.cluster.atMs, data.cluster.controller, data.endMs);
  if (parts.length === 0) return undefined;
  const marks = parts.map(({ fromMs, toMs, value }): Mark => {
    const who = value < 0 ? 'none known' : `node ${value}`;
    const says = `active controller: ${who}, ${instant(fromMs)} to ${instant(toMs)}`;
    return { fromMs, toMs, label: who, says, look: `controller ${value < 0 ? 'none' : 'some'}` };
  });
  return lane('active controller', marks, 18);
}

function lanesOf(data: ReportData): Lane[] {
  const phases = data.phases.map(({ phase, fromMs, toMs }): Mark => {
    const says = `phase: ${words(phase)}, ${instant(fromMs)} to ${instant(toMs)}`;
    return { fromMs, toMs, label: words(phase), says, look: `phase ${phase}` };
  });
  const kinds = Object.keys(data.kinds).filter((kind) =>
    data.bands.some((band) => band.kind === kind),
  );
  // A point takes room beside it for its label.
  const gapMs = data.endMs / 14;
  const faults = kinds.map((kind) => {
    const marks = data.bands
      .filter((band) => band.kind === kind)
      .map((band) => faultMark(band, data));
    const points = marks.some((mark) => mark.toMs - mark.fromMs < data.endMs / 250);
    return lane(kind, marks, 24, points ? gapMs : 0);
  });
  return [
    lane('phase', phases, 18),
    ...faults,
    windowLane(data, 'send'),
    windowLane(data, 'poll'),
    controllerLane(data),
  ].filter((one) => one !== undefined);
}

function laneHeight({ rows, rowHeight }: Lane): number {
  return (Math.max(0, ...rows) + 1) * rowHeight + 6;
}

/** The SVG of all lanes, drawn again for every width and stretch. */
export function drawLanes(data: ReportData, view: TimeView, width: number): SVGSVGElement {
  const { left, right } = marginsFor(width);
  const span = Math.max(1, view.toMs - view.fromMs);
  const x = (ms: number): number =>
    left + ((ms - view.fromMs) / span) * Math.max(1, width - left - right);
  const lanes = lanesOf(data);
  const height = lanes.reduce((sum, one) => sum + laneHeight(one), AXIS_HEIGHT);
  const clip = svg('clipPath', { id: 'plot' });
  clip.append(svg('rect', { x: left, y: 0, width: Math.max(0, width - left - right), height }));
  const picture = svg('svg', {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: 'group',
    'aria-label': 'Timeline of phases, faults, availability and the active controller',
  });
  picture.append(hatch(), clip);
  const plot = svg('g', { 'clip-path': 'url(#plot)' });
  for (const at of ticks(view.fromMs, view.toMs, Math.max(2, (width - left) / 80))) {
    plot.append(svg('line', { x1: x(at), x2: x(at), y1: AXIS_HEIGHT, y2: height, class: 'grid' }));
    picture.append(
      svg('text', { x: x(at), y: 14, class: 'tick', 'text-anchor': 'middle' }, instant(at, 0)),
    );
  }
  let top = AXIS_HEIGHT;
  for (const one of lanes) {
    const whole = laneHeight(one);
    picture.append(
      svg('line', { x1: 0, x2: width, y1: top, y2: top, class: 'rule' }),
      svg('text', { x: 0, y: top + 16, class: 'lane' }, fitted(one.name, left - 6)),
    );
    for (const [index, mark] of one.marks.entries()) {
      if (mark.toMs < view.fromMs || mark.fromMs > view.toMs) continue;
      const row = top + 3 + (one.rows[index] ?? 0) * one.rowHeight;
      plot.append(drawMark(mark, x, row, one.rowHeight));
    }
    top += whole;
  }
  picture.append(plot, svg('line', { class: 'cursor', y1: AXIS_HEIGHT, y2: height }));
  return picture;
}

/** Lanes that follow the view. @returns the element and what draws it for a width. */
export function lanes(
  data: ReportData,
  view: TimeView,
  holder: HTMLElement,
): { draw(width: number): void } {
  let width = 0;
  const cursor = (): void => {
    const line = holder.querySelector('line.cursor');
    const at = view.cursorMs;
    if (line === null) return;
    const { left, right } = marginsFor(width);
    const share = ((at ?? 0) - view.fromMs) / Math.max(1, view.toMs - view.fromMs);
    const x = left + share * (width - left - right);
    line.setAttribute('visibility', at === undefined || share < 0 || share > 1 ? 'hidden' : '');
    line.setAttribute('x1', String(x));
    line.setAttribute('x2', String(x));
  };
  const draw = (newWidth = width): void => {
    width = newWidth;
    holder.replaceChildren(drawLanes(data, view, width));
    cursor();
  };
  holder.addEventListener('pointermove', (event) => {
    const { left, right } = marginsFor(width);
    const box = holder.getBoundingClientRect();
    const share = (event.clientX - box.left - left) / (width - left - right);
    if (share < 0 || share > 1) return;
    view.point(view.fromMs + share * (view.toMs - view.fromMs));
  });
  holder.addEventListener('dblclick', () => view.showAll());
  view.onRange(() => draw());
  view.onCursor(cursor);
  return { draw };
}
