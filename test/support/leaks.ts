import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/**
 * What a test could leave behind on a machine, each thing as one line: named network namespaces,
 * mounts, control groups, links, nft tables, iptables rules, stopped processes, files of labs.
 */
export type Leftovers = ReadonlySet<string>;

function lines(argv: readonly [string, ...string[]]): string[] {
  const result = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8' });
  if (result.status !== 0) return [];
  return result.stdout.split('\n').filter((line) => line !== '');
}

const listing = (directory: string): string[] =>
  existsSync(directory) ? readdirSync(directory) : [];

/** Links without what changes by itself (state, counters). */
function links(): string[] {
  return lines(['ip', '-br', 'link']).map((line) => line.split(/\s+/)[0] ?? '');
}

/** The first level of every hierarchy: our groups are made there. */
function cgroups(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts
    .filter((line) => / cgroup2? /.test(line))
    .flatMap((line) => {
      const at = line.split(' ')[1] ?? '';
      const groups = readdirSync(at, { withFileTypes: true }).filter((one) => one.isDirectory());
      return groups.map((group) => `${at}/${group.name}`);
    });
}

function stoppedPids(): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T ');
      } catch {
        // It ended between the listing and the reading.
        return false;
      }
    });
}

/** Rules without their counters and comments. */
function rules(program: string): string[] {
  return lines([program]).filter((line) => line.startsWith('-A'));
}

const labelled = (label: string, found: readonly string[]): string[] =>
  found.map((line) => `${label} ${line}`);

/** Everything of the kinds above that is on the machine now. */
export function leftovers(): Leftovers {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return new Set([
    ...labelled('netns', listing('/run/netns')),
    ...labelled(
      'mount',
      mounts.filter((line) => line !== ''),
    ),
    ...labelled('cgroup', cgroups()),
    ...labelled('link', links()),
    ...labelled('nft', lines(['nft', 'list', 'tables'])),
    ...labelled('iptables', rules('iptables-save')),
    ...labelled('ip6tables', rules('ip6tables-save')),
    ...labelled('stopped', stoppedPids()),
    ...labelled('lab', listing(process.env['FAULTLINE_LAB_DIR'] ?? '/var/lib/faultline-lab')),
  ]);
}

/**
 * What is there now and was not before, and what is gone ('-' first). Others work on the machine
 * too: `about` tells which lines could be the test's own.
 */
export function leakedSince(
  before: Leftovers,
  about: (line: string) => boolean = () => true,
): string[] {
  const now = leftovers();
  return [
    ...[...now].filter((line) => !before.has(line)),
    ...[...before].filter((line) => !now.has(line)).map((line) => `-${line}`),
  ].filter(about);
}
