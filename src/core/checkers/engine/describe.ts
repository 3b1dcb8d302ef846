import type { Verdict } from '../../model/verdict.ts';

/** A verdict as lines of text for people. */
export function describeVerdict(verdict: Verdict): string[] {
  const { counts, availability, recovery } = verdict;
  const lines = [`verdict: ${verdict.verdict}`];
  for (const reason of verdict.reasons) lines.push(`  ${reason}`);
  const { offered, acknowledged, failed, unknown, read } = counts;
  lines.push(
    `records: ${offered} sent, ${acknowledged} acknowledged, ${failed} refused, ` +
      `${unknown} unknown (${counts.unknownButRead} of them read), ${read} read`,
  );
  lines.push(
    `unavailable: ${availability.count} windows, longest ${availability.longestSendMs} ms to send, ` +
      `${availability.longestPollMs} ms to read; ${availability.withoutFault} without a fault`,
  );
  if (recovery.healedNs !== undefined) {
    const came = recovery.sendMs === undefined ? 'never' : `${recovery.sendMs} ms`;
    lines.push(`recovery after healing: sends ${came}, reads ${recovery.pollMs ?? '-'} ms`);
  }
  for (const { kind, count, counts: judged, examples } of verdict.anomalies) {
    lines.push(`${kind}: ${count}${judged ? '' : ' (not among the checks)'}`);
    for (const { says } of examples.slice(0, 3)) lines.push(`  ${says}`);
  }
  return lines;
}
