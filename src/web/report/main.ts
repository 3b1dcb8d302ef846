import 'uplot/dist/uPlot.min.css';
import '../style.css';
import './report.css';
import type { ReportData } from '../../core/model/report-data.ts';
import { html } from '../dom.ts';
import { banner } from './banner.ts';
import { details } from './details.ts';
import { faultTable } from './fault-table.ts';
import { anomalies, checks } from './findings.ts';
import { timeline } from './timeline.ts';

const SECTIONS = ['timeline', 'faults', 'anomalies', 'checks', 'details'];

function start(root: HTMLElement, data: ReportData): void {
  const drawn = timeline(data);
  const links = SECTIONS.map((name) => html('a', { href: `#${name}` }, name));
  root.replaceChildren(
    banner(data),
    html('nav', { 'aria-label': 'Sections' }, ...links),
    html(
      'main',
      {},
      drawn.element,
      anomalies(data, drawn.view),
      faultTable(data),
      checks(data),
      details(data),
    ),
  );
  drawn.draw();
  // Charts are pictures: another width or colour scheme needs other ones.
  let width = root.clientWidth;
  new ResizeObserver(() => {
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    drawn.draw();
  }).observe(root);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawn.draw());
  // On paper: light, at the paper's width, with nothing folded away.
  addEventListener('beforeprint', () => {
    document.documentElement.classList.add('paper');
    for (const folded of document.querySelectorAll('details')) folded.open = true;
    drawn.draw();
  });
  addEventListener('afterprint', () => {
    document.documentElement.classList.remove('paper');
    drawn.draw();
  });
}

const root = document.getElementById('report');
const embedded = document.getElementById('report-data')?.textContent;
if (root && embedded) start(root, JSON.parse(embedded) as ReportData);
