import type { ProcessMatch } from './process-match.ts';

/** What a match is held against. */
export interface ProcessFacts {
  pid: number;
  argv: readonly string[];
}

/** What had to be read besides the processes themselves. */
export interface MatchFacts {
  /** The pid in the match's pid file; undefined where the file holds none. */
  pidInFile?: number;
  /** Pids that listen on the match's port. */
  listeners?: ReadonlySet<number>;
}

/**
 * Whether a process is one that the match describes: every condition that stands in it holds.
 * `service` and `expect` are not looked at here.
 */
export function matchesProcess(
  match: ProcessMatch,
  process: ProcessFacts,
  facts: MatchFacts,
): boolean {
  const { argv, pid } = process;
  // Kernel threads and zombies have no arguments: nobody means them.
  if (argv.length === 0) return false;
  if (match.pidFile !== undefined && facts.pidInFile !== pid) return false;
  if (match.listens !== undefined && facts.listeners?.has(pid) !== true) return false;
  const parts = match.argumentParts ?? [];
  if (!parts.every((part) => argv.some((argument) => argument.includes(part)))) return false;
  if (match.glob !== undefined && !matchesGlob(match.glob, argv.join(' '))) return false;
  if (match.javaName !== undefined && !jvmLine(argv).includes(match.javaName)) return false;
  return match.mainClass === undefined || runsMainClass(match.mainClass, argv);
}

/** A JVM by the name of its program. */
function isJvm(argv: readonly string[]): boolean {
  return (argv[0] ?? '').split('/').at(-1) === 'java';
}

/** A JVM with the class as one whole argument. */
function runsMainClass(mainClass: string, argv: readonly string[]): boolean {
  return isJvm(argv) && argv.slice(1).includes(mainClass);
}

/** Options of java(1) whose value is the next argument. */
const OPTIONS_WITH_VALUE =
  /^(-cp|-classpath|--class-path|-p|--module-path|--upgrade-module-path|--add-modules|-d|--describe-module)$/;

/** What jcmd(1) lists of a JVM, without the pid: main class, module or jar, and what follows; '' of others. */
function jvmLine(argv: readonly string[]): string {
  if (!isJvm(argv)) return '';
  let index = 1;
  while (argv[index]?.startsWith('-') === true) {
    if (/^(-jar|-m|--module)$/.test(argv[index] ?? '')) return argv.slice(index + 1).join(' ');
    index += OPTIONS_WITH_VALUE.test(argv[index] ?? '') ? 2 : 1;
  }
  return argv.slice(index).join(' ');
}

/**
 * Whether a glob of literal characters, '*' (any run) and '?' (any one) covers the whole text. Linear
 * in memory and at worst quadratic in time: no expression of a caller's can make it explode.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let [g, t] = [0, 0];
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++;
      resume = t;
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++;
      t++;
    } else if (star >= 0) {
      g = star + 1;
      t = ++resume;
    } else return false;
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}
