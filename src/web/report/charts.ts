import uPlot from 'uplot';
import type { ReportData } from '../../core/model/report-data.ts';
import { html } from '../dom.ts';
import { instant } from '../format.ts';
import { chartsOf, type Chart, type Line } from './chart-lines.ts';
import { indexAt, TICK_STEPS_S } from './layout.ts';
import { marginsFor, type TimeView } from './time-view.ts';

function colourOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function seriesOptions(line: Line): uPlot.Series {
  const stroke = colourOf(line.colour);
  const options: uPlot.Series = {
    label: line.name,
    stroke,
    width: line.width ?? 1.5,
    spanGaps: false,
  };
  if (line.dash !== undefined) options.dash = line.dash;
  if (line.look === 'steps') options.paths = uPlot.paths.stepped?.({ align: 1 });
  if (line.look === 'bars') {
    options.paths = uPlot.paths.bars?.({ size: [0.7, 12, 2] });
    options.fill = stroke;
    options.width = 0;
  }
  options.points = { show: false };
  return options;
}

/** Shades the stretches in which faults were in force, behind the lines. */
function shade(data: ReportData): (plot: uPlot) => void {
  return (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const band of data.bands) {
      if (!band.acted) continue;
      const from = plot.valToPos(band.fromMs / 1_000, 'x', true);
      const to = plot.valToPos(band.toMs / 1_000, 'x', true);
      ctx.fillStyle = data.kinds[band.kind]?.colour ?? '#80868b';
      ctx.globalAlpha = 0.13;
      ctx.fillRect(from, bbox.top, Math.max(1, to - from), bbox.height);
      ctx.globalAlpha = 0.8;
      ctx.fillRect(from, bbox.top, Math.max(1, devicePixelRatio), bbox.height);
    }
    ctx.restore();
  };
}

function plotOptions(chart: Chart, data: ReportData, view: TimeView, width: number): uPlot.Options {
  const { left, right } = marginsFor(width);
  const ink = colourOf('--dim');
  const grid = { stroke: colourOf('--grid'), width: 1 };
  const axis = { stroke: ink, grid, ticks: { show: false }, font: '12px system-ui, sans-serif' };
  const pointed = (plot: uPlot): void => {
    const { left: at } = plot.cursor;
    // Only the chart under the pointer speaks: the others are moved by what it says.
    if (at === undefined || at < 0 || !plot.over.matches(':hover')) return;
    view.point(plot.posToVal(at, 'x') * 1_000);
  };
  return {
    width,
    height: chart.height,
    padding: [8, right, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: {
      x: { time: false, range: () => [view.fromMs / 1_000, view.toMs / 1_000] },
      y:
        chart.log === true ? { distr: 3 } : { range: (_, __, max) => [0, Math.max(1, max * 1.06)] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        incrs: [...TICK_STEPS_S],
        values: (_, at) => at.map((seconds) => instant(seconds * 1_000, 0)),
      },
      {
        ...axis,
        size: left,
        values: (_, at) =>
          at.map((value) => (chart.log === true && !isPower(value) ? '' : chart.axis(value))),
      },
    ],
    series: [{}, ...chart.lines.map(seriesOptions)],
    hooks: {
      drawClear: [shade(data)],
      setCursor: [pointed],
      setSelect: [
        (plot) => {
          if (plot.select.width < 4) return;
          const from = plot.posToVal(plot.select.left, 'x') * 1_000;
          const to = plot.posToVal(plot.select.left + plot.select.width, 'x') * 1_000;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          view.show(from, to);
        },
      ],
    },
  };
}

function isPower(value: number): boolean {
  const power = Math.log10(value);
  return Math.abs(power - Math.round(power)) < 1e-9;
}

/** What the swatch of a line looks like: colour and dashes, as in the chart. */
function swatch(line: Line): HTMLElement {
  const look =
    line.look === 'bars'
      ? 'bar'
      : line.dash === undefined
        ? 'solid'
        : (line.dash[0] ?? 0) < 4
          ? 'dotted'
          : 'dashed';
  const mark = html('span', { class: `swatch ${look}`, 'aria-hidden': 'true' });
  mark.style.setProperty('--colour', `var(${line.colour})`);
  return mark;
}

/** One chart with its legend, which shows the values at the pointed instant. */
function figure(chart: Chart, view: TimeView): { element: HTMLElement; holder: HTMLElement } {
  const values = chart.lines.map(() => html('b', {}, ''));
  const keys = chart.lines.map((line, index) =>
    html('li', {}, swatch(line), ` ${line.name} `, values[index]),
  );
  const holder = html('div', { class: 'plot' });
  const element = html(
    'figure',
    { 'aria-label': `${chart.title}: ${chart.unit}` },
    html(
      'figcaption',
      {},
      html('strong', {}, chart.title),
      ` ${chart.unit}`,
      html('ul', {}, ...keys),
    ),
    holder,
  );
  view.onCursor(() => {
    const at = view.cursorMs;
    const index = at === undefined ? -1 : indexAt(chart.atMs, at);
    for (const [number, line] of chart.lines.entries()) {
      const value = values[number];
      if (value === undefined) continue;
      value.textContent = index < 0 ? '' : line.show(line.values[index]);
    }
  });
  return { element, holder };
}

/** All charts of a report. `draw` makes them anew, for a width or another colour scheme. */
export function charts(
  data: ReportData,
  view: TimeView,
): { elements: HTMLElement[]; draw(width: number): void } {
  const parts = chartsOf(data).map((chart) => ({ chart, ...figure(chart, view) }));
  let plots: uPlot[] = [];
  const draw = (width: number): void => {
    for (const plot of plots) plot.destroy();
    plots = parts.map(({ chart, holder }) => {
      const table = [
        chart.atMs.map((ms) => ms / 1_000),
        ...chart.lines.map((line) => [...line.values]),
      ];
      const plot = new uPlot(
        plotOptions(chart, data, view, width),
        table as uPlot.AlignedData,
        holder,
      );
      plot.over.addEventListener('dblclick', () => view.showAll());
      return plot;
    });
  };
  view.onRange(() => {
    for (const plot of plots)
      plot.setScale('x', { min: view.fromMs / 1_000, max: view.toMs / 1_000 });
  });
  view.onCursor(() => {
    for (const plot of plots) {
      if (plot.over.matches(':hover')) continue;
      const left = view.cursorMs === undefined ? -10 : plot.valToPos(view.cursorMs / 1_000, 'x');
      plot.setCursor({ left, top: 1 }, false);
    }
  });
  return { elements: parts.map(({ element }) => element), draw };
}
