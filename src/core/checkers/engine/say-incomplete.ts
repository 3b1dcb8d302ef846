import type { Report } from './checker.ts';
import type { Ledger } from './ledger.ts';

/** What was not read to its end may hold anything: whoever judges what was read cannot tell. */
export function sayIncomplete(ledger: Ledger, report: Report): void {
  const missing = ledger.places.filter(({ final }) => final?.complete !== true);
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const shown = names.slice(0, 6).join(', ') + (names.length > 6 ? ', ...' : '');
  report.unknown(`no complete final read of ${shown}: records may be missing unseen`);
}
