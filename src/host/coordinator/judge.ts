import { execFile } from 'node:child_process';
import { unknownVerdict } from '../../core/coordinator/run-verdict.ts';
import type { Verdict } from '../../core/model/verdict.ts';

const CHECK = new URL('../../bin/check.ts', import.meta.url).pathname;
const LONGEST_MS = 600_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Judges a history in a process of its own: it may take long and much memory, and must not stop
 * leases from being renewed. Whatever goes wrong there is `unknown`, never `valid`.
 * @param checks those that must hold; undefined: all.
 */
export function judge(history: string, checks: readonly string[] | undefined): Promise<Verdict> {
  const argv = ['--disable-warning=ExperimentalWarning', CHECK, history, '--json'];
  if (checks !== undefined) argv.push('--checks', checks.join(','));
  return new Promise((resolve) => {
    const options = { timeout: LONGEST_MS, maxBuffer: OUTPUT_BYTES_MAX, encoding: 'utf8' } as const;
    execFile(process.execPath, argv, options, (error, output, said) => {
      const last = output.trim().split('\n').at(-1) ?? '';
      try {
        resolve(JSON.parse(last) as Verdict);
      } catch {
        // No verdict among what it printed: what it said instead is the reason.
        const why = said.trim().split('\n').slice(-3).join(' ') || (error?.message ?? 'no output');
        resolve(unknownVerdict(`the checkers gave no verdict: ${why}`));
      }
    });
  });
}
