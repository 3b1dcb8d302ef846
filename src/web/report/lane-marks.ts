import type { FaultBand, ReportData } from '../../core/model/report-data.ts';
import { html, svg } from '../dom.ts';
import { instant, length, words } from '../format.ts';

/** One mark in a lane: a band, or a point where it is too short to be seen. */
export interface Mark {
  fromMs: number;
  toMs: number;
  label: string;
  /** Read out, and shown when pointed at. */
  says: string;
  colour?: string;
  /** Class of the mark, for the style sheet. */
  look: string;
  /** Where a click leads, on this page. */
  href?: string;
  healingMs?: number;
}

/** 'ended early by lease', 'failed: effect unseen': what is not as it should be. */
export function bandTrouble(band: FaultBand): string | undefined {
  if (!band.acted) return band.state;
  if (band.state === 'stuck') return 'stuck: an undo keeps failing';
  if (band.state === 'failed') return 'failed';
  if (band.early) return `ended early by ${band.endedBy ?? 'something else'}`;
  if (band.effect === 'unseen') return 'effect unseen';
  return undefined;
}

export function describeBand(band: FaultBand): string {
  const trouble = bandTrouble(band);
  const parts = [
    `${band.id}${band.occurrence > 1 ? ` (occurrence ${band.occurrence})` : ''}: ${band.kind}`,
    `on ${band.targets.join(', ') || 'no node'}`,
    band.acted
      ? `${instant(band.fromMs)} to ${instant(band.toMs)} (${length(band.toMs - band.fromMs)})`
      : `at ${instant(band.fromMs)}`,
    band.open ? `still ${band.state}` : band.state,
    `effect ${band.effect}`,
  ];
  if (band.endedBy !== undefined) parts.push(`ended by ${words(band.endedBy)}`);
  if (band.skewMs !== undefined) parts.push(`skew ${length(band.skewMs)}`);
  if (trouble !== undefined) parts.push(trouble);
  return parts.join(' · ');
}

export function faultMark(band: FaultBand, data: ReportData): Mark {
  const trouble = bandTrouble(band);
  const look = !band.acted ? 'fault idle' : trouble === undefined ? 'fault' : 'fault trouble';
  const mark: Mark = {
    fromMs: band.fromMs,
    toMs: band.toMs,
    label: `${trouble === undefined ? '' : '⚠ '}${band.targets.join(', ')}`,
    says: describeBand(band),
    colour: data.kinds[band.kind]?.colour ?? '#80868b',
    look,
    href: `#fault-${band.id}`,
  };
  if (band.healingMs !== undefined) mark.healingMs = band.healingMs;
  return mark;
}

/** Dark or light text, whichever can be read on a colour (WCAG relative luminance). */
export function inkOn(colour: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const part = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.25 ? '#111' : '#fff';
}

const LETTER_PX = 6.4;

/** The text, as much of it as fits. */
export function fitted(text: string, width: number): string {
  const room = Math.floor(width / LETTER_PX);
  if (text.length <= room) return text;
  return room < 4 ? '' : `${text.slice(0, room - 1)}…`;
}

/** Draws one mark. @param x from instants to pixels; @param top and height of its row. */
export function drawMark(
  mark: Mark,
  x: (ms: number) => number,
  top: number,
  height: number,
): SVGElement {
  const left = x(mark.fromMs);
  const width = x(mark.toMs) - left;
  const colour = mark.colour ?? '';
  const shape = svg('g', { class: `mark ${mark.look}` });
  const paint = { fill: colour || undefined, stroke: colour || undefined };
  const middle = top + height / 2;
  if (width < 4 && mark.href !== undefined) {
    const half = Math.min(7, height / 2);
    const diamond = `M${left} ${middle - half}l${half} ${half}l${-half} ${half}l${-half} ${-half}z`;
    shape.append(svg('path', { ...paint, d: diamond }));
    shape.append(svg('text', { x: left + half + 3, y: middle + 4, class: 'beside' }, mark.label));
  } else {
    const box = { x: left, y: top + 1, width: Math.max(1.5, width), height: height - 2, rx: 3 };
    shape.append(svg('rect', { ...paint, ...box }));
    if (mark.healingMs !== undefined && mark.toMs > mark.healingMs) {
      const from = x(mark.healingMs);
      const healing = { ...box, x: from, width: Math.max(0, left + width - from), rx: 0 };
      shape.append(svg('rect', { ...healing, class: 'healing', fill: 'url(#hatch)' }));
    }
    const label = fitted(mark.label, width - 8);
    const ink = colour === '' || mark.look.includes('idle') ? undefined : inkOn(colour);
    if (label !== '') {
      shape.append(svg('text', { x: left + 5, y: middle + 4, fill: ink }, label));
    }
  }
  shape.append(svg('title', {}, mark.says));
  if (mark.href === undefined) return shape;
  const link = svg('a', { href: mark.href, 'aria-label': mark.says, class: 'band' });
  link.append(shape);
  return link;
}

/** The hatching of what is being healed. */
export function hatch(): SVGElement {
  const pattern = svg(
    'pattern',
    { id: 'hatch', width: 5, height: 5, patternUnits: 'userSpaceOnUse' },
    svg('path', { d: 'M-1 1l2-2M0 5l5-5M4 6l2-2', class: 'hatch' }),
  );
  return svg('defs', {}, pattern);
}

/** Explains the marks of the lanes. */
export function laneLegend(): HTMLElement {
  return html(
    'p',
    { class: 'note' },
    'A band is a fault in force on its targets; hatched: healing; ◆ happens once; dashed: never acted; ' +
      '⚠ outlined: not as planned. Drag over a chart to zoom, double-click to see all; ← and → move the ' +
      'instant that is read out, a band leads to its receipt.',
  );
}
