import { reasonOf } from '../../core/base/failure.ts';
import { describeProblem } from '../../core/base/problem.ts';
import { ERRNO } from '../../core/disk/errno.ts';
import { parseKibosh } from '../../core/disk/kibosh.ts';
import type { Control } from './control.ts';
import type { FileSystem } from './file-system.ts';

/** Takes what was written to the control file. @returns 0, or the errno that close(2) gets. */
export async function takeText(
  control: Control,
  fileSystem: FileSystem,
  text: string,
): Promise<number> {
  const checked = parseKibosh(text, fileSystem.options.seed ?? 0);
  if (!checked.ok) {
    for (const problem of checked.problems) {
      process.stderr.write(`kibosh_control: refused: ${describeProblem(problem)}\n`);
    }
    return ERRNO.EINVAL;
  }
  try {
    await control.set(checked.value);
    fileSystem.setControlText(text);
    return 0;
  } catch (error) {
    process.stderr.write(`kibosh_control: ${reasonOf(error)}\n`);
    return ERRNO.EIO;
  }
}
