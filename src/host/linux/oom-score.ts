import { readFileSync, writeFileSync } from 'node:fs';

/**
 * An agent may be spared by the OOM killer, as its unit says, and what it starts inherits that. A broker
 * or a load must not: another, like the broker under test, would be killed in its place. What a fault is
 * made of keeps it: packet processes, proxies and responders have bounded memory, and the death of one
 * is a failure that nobody asked for. A burner puts itself first in line (burner.sh).
 */
export function beKilledAsOthersAre(pid: number): void {
  try {
    const inherited = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
    if (inherited !== 0) writeFileSync(`/proc/${pid}/oom_score_adj`, '0');
  } catch {
    // It has ended already, or this is no Linux that has it.
  }
}
