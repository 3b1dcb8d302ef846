import { isOurs } from '../../core/codec/netfilter.ts';
import { seeProcesses, sharesNetwork, type SeenProcess } from './processes.ts';

export interface MarkedProcess {
  seen: SeenProcess;
  token: string;
  /** Its arguments after the token. */
  rest: readonly string[];
}

function markOf(argv: readonly string[], script: string): Omit<MarkedProcess, 'seen'> | undefined {
  const at = argv.findIndex((part) => part.endsWith(script));
  const [flag, token = '', ...rest] = argv.slice(at + 1);
  return at > 0 && flag === '--token' && isOurs(token) ? { token, rest } : undefined;
}

/**
 * Processes of faults, known by `SCRIPT --token TOKEN` among their arguments, in this network namespace:
 * others' have agents of their own, and a fault has the same token on all its nodes.
 * @param script the end of its path, with a slash before it.
 */
export function markedProcesses(script: string): MarkedProcess[] {
  return seeProcesses().flatMap((seen) => {
    const mark = markOf(seen.argv, script);
    return mark && sharesNetwork(seen.ref.pid) ? [{ seen, ...mark }] : [];
  });
}

/** Those of one fault. */
export function processesOf(script: string, token: string): SeenProcess[] {
  return markedProcesses(script).flatMap((each) => (each.token === token ? [each.seen] : []));
}

/** Each once. */
export function tokensOf(script: string): string[] {
  return [...new Set(markedProcesses(script).map(({ token }) => token))];
}
