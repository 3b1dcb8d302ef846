import path from 'node:path';
import type { SourceFile, Violation } from './source.ts';

export const LINES_MAX = 300;
/** The formatter keeps code within 100; this holds what it leaves alone: comments and long texts. */
export const WIDTH_MAX = 110;
const BIN_LINES_MAX = 60;

/** Files that may be longer, each with its reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {
  'src/core/model/api.ts': 'every route as data: one table, read as a whole',
  'python/src/faultline/kinds.py': 'generated: a method for every kind',
  'python/src/faultline/rest.py': 'generated: every route with its types',
  'test/core/agent/machine.test.ts': 'cases of one machine that share one table of events',
  'test/host/coordinator.test.ts': 'cases of one daemon among stubs that share one cluster',
  'test/core/coordinator/machine.test.ts': 'cases of one machine that share one small world',
  'test/core/checkers/checkers.test.ts': 'one small history a case, a line each',
  'test/support/fake-linux.ts': 'the whole of a pretended machine, so that it can be audited',
};

/** 'services' may be: that is what an agent's configuration calls a node's programs. */
const BANNED_NAMES = /(^|[-.])(utils?|helpers?|common|managers?|service|misc)([-.]|$)/;

function lineCount(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}

export function checkLengths(
  files: readonly SourceFile[],
  exceptions: Readonly<Record<string, string>> = LONG_FILES,
): Violation[] {
  const found: Violation[] = [];
  for (const file of files) {
    const lines = lineCount(file.text);
    const isBin = file.path.startsWith('src/bin/');
    if (isBin && lines > BIN_LINES_MAX) {
      found.push(`${file.path}: ${lines} lines; a composition root has at most ${BIN_LINES_MAX}`);
    }
    if (lines > LINES_MAX && exceptions[file.path] === undefined) {
      found.push(`${file.path}: ${lines} lines, over ${LINES_MAX}; does it hold one idea?`);
    }
  }
  for (const name of Object.keys(exceptions)) {
    const file = files.find((one) => one.path === name);
    if (file && lineCount(file.text) <= LINES_MAX) {
      found.push(`${name}: is short now; take it off the list of exceptions`);
    }
  }
  return found;
}

export function checkWidth(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) =>
    file.text.split('\n').flatMap((line, index) => {
      // A link or a string that can't be broken may stick out.
      if (line.length <= WIDTH_MAX || /https?:\/\/|^\s*(['"`/]|\S+: ['"`/])/.test(line)) return [];
      return [`${file.path}:${index + 1}: ${line.length} characters, over ${WIDTH_MAX}`];
    }),
  );
}

export function checkNames(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const name = path.posix.basename(file.path);
    const found: Violation[] = [];
    if (BANNED_NAMES.test(name)) found.push(`${file.path}: says nothing of what is in it`);
    if (!/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(name)) found.push(`${file.path}: not kebab-case`);
    return found;
  });
}
