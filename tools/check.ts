/**
 * One command for everything that can be said of the code without running it: types (one tsconfig a
 * layer), lint, format, dead code. `node tools/check.ts` runs all steps, `node tools/check.ts lint`
 * those named. Every step runs even where an earlier one failed; the exit code is 1 if any failed.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const BIN = path.join(ROOT, 'node_modules', '.bin');

interface Step {
  name: string;
  says: string;
  /** A program of node_modules/.bin and its arguments. */
  argv: [string, ...string[]];
}

const STEPS: Step[] = [
  { name: 'types-core', says: 'types of core (no Node, no DOM)', argv: ['tsc', '-p', 'src/core'] },
  { name: 'types-web', says: 'types of web (DOM, no Node)', argv: ['tsc', '-p', 'src/web'] },
  { name: 'types', says: 'types of everything else', argv: ['tsc', '-p', 'tsconfig.json'] },
  { name: 'lint', says: 'lint, with types', argv: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', says: 'format', argv: ['oxfmt', '--check'] },
  { name: 'dead', says: 'dead code and dependencies', argv: ['knip', '--no-progress'] },
];

/** @returns undefined where the step succeeded, else what it printed. */
function run(step: Step): string | undefined {
  const [program, ...rest] = step.argv;
  // The shebangs of the tools would pick whichever Node the machine has; this one is pinned.
  const result = spawnSync(process.execPath, [path.join(BIN, program), ...rest], {
    cwd: ROOT,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${path.dirname(process.execPath)}:${BIN}:${process.env['PATH']}`,
    },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return undefined;
  const ending = result.error?.message ?? result.signal ?? '';
  return [result.stdout, result.stderr, ending].filter((text) => text.trim() !== '').join('\n');
}

function main(names: readonly string[]): number {
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`check: no step '${unknown.join("', '")}'; there are:`);
    for (const step of STEPS) console.error(`  ${step.name.padEnd(12)} ${step.says}`);
    return 64;
  }
  const failed: string[] = [];
  for (const step of STEPS.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const began = performance.now();
    const output = run(step);
    const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
    console.log(`${output === undefined ? 'ok  ' : 'FAIL'} ${seconds} s  ${step.says}`);
    if (output === undefined) continue;
    failed.push(step.name);
    console.log(`${output.trimEnd()}\n`);
  }
  if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`);
  return failed.length > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
