import { codeOf, violationsOf, type SourceFile, type Violation } from './source.ts';

interface Ban {
  pattern: RegExp;
  instead: string;
}

const IMPURE: readonly Ban[] = [
  {
    pattern: /\bDate\b/g,
    instead: 'take the time as an argument; base/instant.ts reads and writes it',
  },
  { pattern: /\bMath\.random\b/g, instead: 'take a Random (base/random.ts)' },
  { pattern: /\bperformance\b/g, instead: 'take the time as an argument' },
  { pattern: /\bIntl\b/g, instead: 'format by hand: it depends on the machine' },
  { pattern: /\.localeCompare\b/g, instead: 'compare with < and >: it depends on the machine' },
  { pattern: /\bsetTimeout\b|\bsetInterval\b/g, instead: 'return an effect with its due time' },
  { pattern: /\bprocess\.(env|argv|exit)\b/g, instead: 'that belongs to the host' },
  { pattern: /\bconsole\b/g, instead: 'return what is to be said' },
];

const INEXACT: readonly Ban[] = [
  {
    pattern: /\bMath\.(log\w*|exp\w*|pow|sin|cos|tan)\b|\*\*/g,
    instead:
      'engines differ in the last bit, and a seed must mean the same everywhere: use a table',
  },
];

function banned(files: readonly SourceFile[], folder: string, bans: readonly Ban[]): Violation[] {
  return files
    .filter((file) => file.path.startsWith(folder))
    .flatMap((file) => {
      const code = codeOf(file.text);
      return bans.flatMap(({ pattern, instead }) =>
        violationsOf(file, code, pattern, (match) => `'${match[0]}' is banned here: ${instead}`),
      );
    });
}

/** Time, chance, locale and output, in the layers that must not have them. */
export function checkPurity(files: readonly SourceFile[]): Violation[] {
  return [...banned(files, 'src/core/', IMPURE), ...banned(files, 'src/core/schedule/', INEXACT)];
}

/**
 * Commands that undo other people's work too, and ways of calling a shell. Tests of core run
 * nothing; they may hold such words as hostile input.
 */
export function checkDangerousCommands(files: readonly SourceFile[]): Violation[] {
  const flush = /iptables['", ]+(-F|--flush)|nft['", ]+flush['", ]+ruleset|flush ruleset/g;
  const qdisc = /\btc\b[^\n]{0,60}\bdel\b[^\n]{0,60}\broot\b/g;
  const shell = /\bshell:\s*(true|['"])/g;
  const exec = /import[^;]*\b(exec|execSync)\b[^;]*from\s*['"]node:child_process['"]/g;
  return files
    .filter((file) => !/^test\/(tidy|core)/.test(file.path))
    .flatMap((file) => {
      const code = file.path.endsWith('.ts') ? codeOf(file.text, true) : file.text;
      return [
        ...violationsOf(file, code, flush, () => 'flushes what is not ours; delete our own table'),
        ...violationsOf(file, code, qdisc, () => 'deletes a root qdisc; put back what was there'),
        ...violationsOf(file, code, shell, () => 'runs a shell; give an argv array'),
        ...violationsOf(file, code, exec, () => 'exec takes a shell string; use spawn or execFile'),
      ];
    });
}

/** Every catch says why what it caught may be passed over, or does something with it. */
export function checkCatches(files: readonly SourceFile[]): Violation[] {
  const bare =
    /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}|\.catch\(\s*\(\s*\)\s*=>\s*(\{\s*\}|undefined|null)\s*\)/g;
  return files.flatMap((file) => {
    const code = codeOf(file.text);
    return [...code.matchAll(bare)].flatMap((match) => {
      const end = match.index + match[0].length;
      const from = file.text.lastIndexOf('\n', file.text.lastIndexOf('\n', match.index) - 1);
      const lineEnd = file.text.indexOf('\n', end);
      const around = file.text.slice(Math.max(0, from), lineEnd < 0 ? undefined : lineEnd);
      // The comment stands in the block, at the end of its line or on the line above.
      if (/\/\/|\/\*/.test(around)) return [];
      const line = file.text.slice(0, match.index).split('\n').length;
      return [`${file.path}:${line}: a catch without a reason; say why this may be passed over`];
    });
  });
}

/** What must not stay: half-done work, tests that silence the others, a linter that was told to be quiet. */
export function checkLeftBehind(files: readonly SourceFile[]): Violation[] {
  const todo = /\b(TODO|FIXME|XXX)\b/g;
  const only = /\b(test|it|describe|suite)\.(only|todo)\b|\b(only|todo):\s*true\b/g;
  const silenced = /@ts-(ignore|nocheck)|(oxlint|eslint)-disable(?!.*--)/g;
  return files.flatMap((file) =>
    file.path.startsWith('test/tidy')
      ? []
      : [
          ...violationsOf(
            file,
            file.text,
            todo,
            () => 'half-done work; do it, or say it in the issue',
          ),
          ...violationsOf(file, codeOf(file.text), only, () => 'silences the other tests'),
          ...violationsOf(file, file.text, silenced, () => 'silences a check without `-- reason`'),
        ],
  );
}

/** A test that is skipped names the need it lacks. */
export function checkSkips(files: readonly SourceFile[]): Violation[] {
  const skip = /\bskip:(?!\s*(lacks\(|\d))[^,}\n]+|\b(test|it|describe|suite|t)\.skip\b/g;
  const tests = files.filter(
    ({ path }) => /^test\/.*\.test\.ts$/.test(path) && !path.startsWith('test/tidy'),
  );
  return tests.flatMap((file) =>
    violationsOf(file, codeOf(file.text), skip, () => "a skip without a need; use lacks('need')"),
  );
}
