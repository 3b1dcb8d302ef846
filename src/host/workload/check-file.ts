import { HistoryCheck, type CheckOptions } from '../../core/checkers/engine/check.ts';
import { CHECKERS } from '../../core/checkers/registry.ts';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import { readHistory } from './history-file.ts';

/**
 * Judges a history file (plain, .zst or .gz). Damage in the middle makes the verdict `unknown` at
 * best: what was read before it is judged all the same.
 * @throws Failure `history-not-read` where there is no such file.
 */
export async function checkHistoryFile(path: string, options: CheckOptions = {}): Promise<Verdict> {
  const check = new HistoryCheck(CHECKERS, options);
  try {
    for await (const entries of readHistory(path)) {
      for (const entry of entries) check.add(entry);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
      const message = `${path} cannot be read: ${reasonOf(error)}`;
      throw new Failure('history-not-read', message, { definite: true, cause: error });
    }
    check.damaged(reasonOf(error));
  }
  return check.finish();
}
