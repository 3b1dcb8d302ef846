/**
 * Runs the tests in groups, quick ones first, and sums them up:
 * `node tools/test.ts [--long] [NAME]`, NAME: only files whose path has it (and no checks).
 * The last line of output is always 'N passed, N failed, N skipped'.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const ROOT = join(import.meta.dirname, '..');

interface Group {
  folder: string;
  /** Test files that run at once. */
  concurrency: number;
  /** For one test; a test may ask for its own. */
  timeoutMs: number;
}

const quick = (folder: string): Group => ({ folder, concurrency: 2, timeoutMs: 120_000 });
// These share the machine's kernel, its ports and its two cores: one file at a time.
const alone = (folder: string): Group => ({ folder, concurrency: 1, timeoutMs: 300_000 });

const GROUPS: readonly Group[] = [
  quick('test/core'),
  quick('test/host'),
  quick('test/cli'),
  quick('test/conformance'),
  quick('test/python'),
  // Two thousand seeds, or with --long twenty thousand.
  { ...quick('test/simulation'), timeoutMs: 900_000 },
  alone('test/kernel'),
  alone('test/web'),
  alone('test/kafka'),
  // Ducktape's own runs, each with a Kafka cluster of its own.
  { ...alone('test/ducktape'), timeoutMs: 600_000 },
];

const GROUP_BUDGET_MS = 30 * 60_000;

interface Tally {
  passed: number;
  failed: number;
  /** 'file: test (why)' */
  skipped: string[];
}

/** Folders of tests that are not listed above (and files in test/ itself) run first. */
function groupsOf(files: readonly string[]): { group: Group; files: string[] }[] {
  const inGroup = (group: Group, file: string): boolean => file.startsWith(`${group.folder}/`);
  const others = files.filter((file) => !GROUPS.some((group) => inGroup(group, file)));
  return [
    { group: quick('test'), files: others },
    ...GROUPS.map((group) => ({ group, files: files.filter((file) => inGroup(group, file)) })),
  ].filter((one) => one.files.length > 0);
}

/** Runs one group, shows it as it goes, and counts. */
async function runGroup(group: Group, files: readonly string[], tally: Tally): Promise<void> {
  console.log(`\n== ${group.folder}: ${files.length} files`);
  const stream = run({
    files: files.map((file) => join(ROOT, file)),
    cwd: ROOT,
    concurrency: group.concurrency,
    timeout: group.timeoutMs,
    signal: AbortSignal.timeout(GROUP_BUDGET_MS),
  });
  stream.on('test:pass', (event) => {
    if (event.skip !== undefined) {
      const why = typeof event.skip === 'string' ? ` (${event.skip})` : '';
      const file = event.file === undefined ? '' : `${relative(ROOT, event.file)}: `;
      tally.skipped.push(`${file}${event.name}${why}`);
    } else if (event.details.type !== 'suite') tally.passed++;
  });
  stream.on('test:fail', (event) => {
    // A suite fails because a test in it did, and that one is counted; or by a hook of its own.
    const cause = (event.details.error as { failureType?: string }).failureType;
    if (event.details.type !== 'suite' || cause !== 'subtestsFailed') tally.failed++;
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(String(text));
}

function check(tally: Tally): void {
  const script = join(ROOT, 'tools', 'check.ts');
  if (!existsSync(script)) return;
  console.log('== check');
  const result = spawnSync(process.execPath, [script], { cwd: ROOT, stdio: 'inherit' });
  if (result.status === 0) tally.passed++;
  else tally.failed++;
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg.startsWith('-') && arg !== '--long');
  const names = args.filter((arg) => !arg.startsWith('-'));
  if (unknown.length > 0 || names.length > 1) {
    console.error('usage: run test [--long] [NAME]');
    return 64;
  }
  if (args.includes('--long')) process.env['FAULTLINE_LONG'] = '1';
  const [name = ''] = names;
  const files = globSync('test/**/*.test.ts', { cwd: ROOT })
    .filter((file) => file.includes(name))
    .toSorted();
  const tally: Tally = { passed: 0, failed: 0, skipped: [] };
  if (name === '') check(tally);
  for (const one of groupsOf(files)) await runGroup(one.group, one.files, tally);
  if (tally.skipped.length > 0) console.log(`\n== skipped\n${tally.skipped.join('\n')}`);
  if (files.length === 0) console.log(`no test file has '${name}' in its path`);
  console.log(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped`);
  return tally.failed > 0 || tally.passed === 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
