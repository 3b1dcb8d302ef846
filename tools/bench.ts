/** Runs one benchmark, or all of them in turn: `node tools/bench.ts [NAME] [--json] [--resume]`. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

function main(args: readonly string[]): number {
  const known = globSync('bench/*.ts', { cwd: ROOT }).map((file) => basename(file, '.ts'));
  const names = args[0] === undefined || args[0].startsWith('-') ? known.toSorted() : [args[0]];
  const flags = args.filter((arg) => arg !== names[0]);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined || names.length === 0) {
    const there = known.length === 0 ? 'there is none yet' : `there are ${known.join(', ')}`;
    console.error(`run bench: no benchmark '${unknown ?? ''}'; ${there}`);
    return 64;
  }
  if (flags.includes('--help') || flags.includes('-h')) {
    for (const name of names) console.log(`${helpOf(name)}\n`);
    return 0;
  }
  const codes = names.map((name) => {
    const script = join(ROOT, 'bench', `${name}.ts`);
    const argv = ['--disable-warning=ExperimentalWarning', script, ...flags];
    return spawnSync(process.execPath, argv, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
  });
  return Math.max(...codes);
}

/** What a benchmark says of itself: the comment that begins with its own name. */
function helpOf(name: string): string {
  const text = readFileSync(join(ROOT, 'bench', `${name}.ts`), 'utf8');
  const [, comment = `bench/${name}.ts`] = /\/\*\*\s+\*? ?(`bench\/.*?)\s*\*\//s.exec(text) ?? [];
  return comment.replaceAll(/\n \* ?/g, '\n');
}

process.exitCode = main(process.argv.slice(2));
