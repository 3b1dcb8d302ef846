import { median, pairedRatio, type Ratio } from './ratio.ts';
import type { DiskResults, Part } from './results.ts';

const OURS = 'faultline';

/** What was set as a goal: our share of another's figure in a row, at least or at most. */
interface Target {
  part: string;
  row: RegExp;
  against: string;
  /** Whose figure; default ours without rules. */
  of?: string;
  /** What of ours is added to the other's figure. */
  plus?: (row: string) => string;
  atLeast?: number;
  atMost?: number;
}

const TARGETS: readonly Target[] = [
  { part: 'files', row: /^(write|read cold).*\/s$/, against: 'kibosh', atLeast: 1 },
  { part: 'files', row: /^read cached .*\/s$/, against: 'kibosh', atLeast: 3 },
  { part: 'files', row: /^write 4K p50/, against: 'kibosh', atMost: 0.5 },
  { part: 'files', row: /^write 4K p99/, against: 'kibosh', atMost: 1 },
  {
    part: 'files',
    row: /^(create|stat|rename|unlink|all names).* us$/,
    against: 'kibosh',
    atMost: 1 / 1.3,
  },
  { part: 'files', row: / CPU us\/op$/, against: 'kibosh', atMost: 1 },
  {
    part: 'files',
    row: / CPU us\/op$/,
    of: 'faultline, 100 rules that match nothing',
    against: OURS,
    atMost: 1.03,
  },
  { part: 'one-cpu', row: /^write 4K p50/, against: 'kibosh', atMost: 0.5 },
  {
    part: 'one-cpu',
    row: /^(create|stat|rename|unlink|all names).* us$/,
    against: 'kibosh',
    atMost: 1 / 1.3,
  },
  { part: 'one-cpu', row: / CPU us\/op$/, against: 'kibosh', atMost: 1 },
  {
    part: 'one-cpu',
    row: / us(\/op)?$/,
    of: 'faultline, 100 rules that match nothing',
    against: OURS,
    atMost: 1.03,
  },
  { part: 'sync', row: /\/s$/, against: 'kibosh', atLeast: 1 },
  { part: 'broker', row: /\/s$/, against: 'kibosh', atLeast: 1 },
  { part: 'broker', row: /: broker CPU/, against: 'plain', atMost: 1.1 },
  {
    part: 'broker',
    row: /: broker CPU/,
    against: 'plain',
    plus: (row) => row.replace('broker CPU', 'server CPU'),
    atMost: 1.1,
  },
];

function figures(part: Part, subject: string, row: string): number[] {
  return (part.rows[subject] ?? []).map((measured) => measured[row] ?? 0);
}

function interval({ ratio, low, high }: Ratio): string {
  return `${ratio.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

function rowsOf(part: Part): string[] {
  return Object.keys(part.rows[OURS]?.[0] ?? {});
}

/** Medians, and how often ours is another's: the ratio within a round and its 95 % interval. */
function partTable(name: string, part: Part, loads: readonly number[]): string[] {
  const others = Object.keys(part.rows).filter((subject) => subject !== OURS);
  const [low, high] = [Math.min(...loads).toFixed(1), Math.max(...loads).toFixed(1)];
  const rounds = part.rows[OURS]?.length ?? 0;
  const lines = [
    `**${name}**, on ${part.under}: ${rounds} rounds at load ${low} to ${high}; medians, in () ${OURS}'s share of it`,
    '',
    `| | ${OURS} | ${others.join(' | ')} |`,
    `| --- | ---: |${others.map(() => ' ---: |').join('')}`,
  ];
  for (const row of rowsOf(part)) {
    const ours = figures(part, OURS, row);
    const cells = others.map((subject) => {
      const theirs = figures(part, subject, row);
      if (theirs.every((value) => value === 0)) return '';
      const ratio = pairedRatio(ours, theirs);
      // Of nothing there is no ratio: what the kernel's cache answers costs no CPU of a server.
      const share = Number.isFinite(ratio.low) ? ` (${interval(ratio)})` : '';
      return `${median(theirs).toPrecision(3)}${share}`;
    });
    lines.push(`| ${row} | ${median(ours).toPrecision(3)} | ${cells.join(' | ')} |`);
  }
  return lines;
}

/** 'reached' and 'missed' where the 95 % interval lies on one side of the goal. */
function verdict(ratio: Ratio, target: Target): string {
  const { atLeast, atMost } = target;
  if (atLeast !== undefined) {
    if (ratio.low >= atLeast) return 'reached';
    if (ratio.high < atLeast) return '**missed**';
    return ratio.ratio >= atLeast ? 'reached, not surely' : 'missed, not surely';
  }
  const most = atMost ?? 1;
  if (ratio.high <= most) return 'reached';
  if (ratio.low > most) return '**missed**';
  return ratio.ratio <= most ? 'reached, not surely' : 'missed, not surely';
}

/** The least of what a server can spend in a row and be told from nothing. */
const LEAST_US = 0.3;

function targetLines(results: DiskResults): string[] {
  const lines = ['| row | goal | measured | |', '| --- | --- | --- | --- |'];
  for (const target of TARGETS) {
    const part = results.parts[target.part];
    if (part?.rows[target.against] === undefined) continue;
    const subject = target.of ?? OURS;
    for (const row of rowsOf(part).filter((each) => target.row.test(each))) {
      const added = target.plus === undefined ? [] : figures(part, OURS, target.plus(row));
      const theirs = figures(part, target.against, row).map(
        (figure, round) => figure + (added[round] ?? 0),
      );
      const ratio = pairedRatio(figures(part, subject, row), theirs);
      const isNothing = row.includes('CPU') && median(theirs) < LEAST_US;
      if (isNothing || !Number.isFinite(ratio.low)) continue;
      const bound = target.atLeast ?? target.atMost ?? 1;
      const sign = target.atLeast === undefined ? '≤' : '≥';
      const whose =
        target.plus === undefined ? target.against : `(${target.against} + server's own)`;
      const goal = `${sign} ${bound.toFixed(2)} × ${whose}`;
      const who = target.of === undefined ? '' : ` (${target.of})`;
      const cells = [`${target.part}: ${row}${who}`, goal, interval(ratio), verdict(ratio, target)];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  return lines;
}

/** The tables of a run, in Markdown. */
export function diskTables(results: DiskResults): string {
  const parts = Object.entries(results.parts).map(([name, part]) =>
    partTable(name, part, results.load[name] ?? []),
  );
  return [...parts, targetLines(results)].map((lines) => lines.join('\n')).join('\n\n');
}
