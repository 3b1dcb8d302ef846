import { spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../../test/support/needs.ts';
import { TestNetwork } from '../../test/support/netns.ts';
import { until } from '../../test/support/until.ts';
import { NODES, type Drawn } from './plan.ts';
import { spreadOf, type LaneSetting, type RoundResult, type Spread } from './result.ts';

export interface StormOptions {
  rounds: number;
  seed: string;
  /** Default 'few'. */
  draw?: Drawn;
  /** Networks at once. */
  lanes: number;
  /** How many of the first rounds wait for the kernel's own expiry (30 s each); default 1 in 100. */
  expiries?: number;
  /** No round begins after so long; what is left is for the next time. */
  forMs?: number;
  /** Plays this round alone. */
  only?: number;
  /** Where the results go; default bench/results/kill-storm.json. */
  out?: string;
  /** Goes on from what is there. */
  resume: boolean;
  say: (line: string) => void;
}

export interface StormSummary {
  at: string;
  seed: string;
  rounds: number;
  expiryRounds: number;
  faultsInForce: number;
  /** ms from the last blow to the baseline, by who healed; 'restart' from the agent's start. */
  healedMs: Record<string, Spread | undefined>;
  /** With both dead: ms until packets pass again by the kernel's own timeout (30 000 at most). */
  expiredMs: Spread | undefined;
  violations: { round: number; says: string; repeat: string }[];
}

interface Kept {
  seed: string;
  results: RoundResult[];
}

/** The longest a timer can wait. */
const FOREVER_MS = 2 ** 31 - 1;
const defaultOut = join(ROOT, 'bench/results/kill-storm.json');

/** Plays the rounds in parallel throwaway networks. Leaves nothing behind, also after SIGINT. */
export async function runStorm(options: StormOptions): Promise<StormSummary> {
  const out = options.out ?? defaultOut;
  const log = out.replace(/\.json$/, '.rounds.json');
  const expiries = options.expiries ?? Math.ceil(options.rounds / 100);
  const kept: Kept = { seed: options.seed, results: [] };
  if (options.resume && existsSync(log)) {
    const before = JSON.parse(readFileSync(log, 'utf8')) as Kept;
    if (before.seed === options.seed) kept.results = before.results;
  }
  const done = new Set(kept.results.map(({ round }) => round));
  const numbers = Array.from({ length: options.rounds }, (_, index) => index + 1);
  const queue = (options.only === undefined ? numbers : [options.only])
    .filter((round) => !done.has(round))
    .map((round) => `${round}${round <= expiries ? ' expiry' : ''}`);
  const over = setTimeout(() => (queue.length = 0), options.forMs ?? FOREVER_MS);
  over.unref();
  const save = (): StormSummary => {
    const summary = summarize(options, kept);
    if (options.only !== undefined) return summary;
    mkdirSync(join(out, '..'), { recursive: true });
    writeFileSync(out, `${JSON.stringify(summary, undefined, 2)}\n`);
    writeFileSync(log, `${JSON.stringify(kept)}\n`);
    return summary;
  };
  const lanes = Array.from({ length: Math.min(options.lanes, queue.length) }, (_, index) =>
    playLane(index, options, queue, (result) => {
      kept.results.push(result);
      options.say(lineOf(result));
      save();
    }),
  );
  await Promise.all(lanes);
  clearTimeout(over);
  return save();
}

function lineOf({ round, healings, expiredMs, violations }: RoundResult): string {
  const healed = healings.map(({ node, by, healedMs }) => `${node} ${by} ${Math.round(healedMs)}`);
  const expired = expiredMs === undefined ? '' : ` expired ${Math.round(expiredMs)}`;
  const load = loadavg()[0]?.toFixed(1);
  const wrong = violations.map((says) => `\n  VIOLATION ${says} (load ${load})`).join('');
  return `round ${round}: ${healed.join(', ')} ms${expired}${wrong}`;
}

async function playLane(
  index: number,
  options: StormOptions,
  queue: string[],
  onResult: (result: RoundResult) => void,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-storm-'));
  const prefix = `fs${String.fromCharCode(97 + index)}`;
  const network = new TestNetwork(prefix, NODES.length + 1, 210 + index);
  let child: ChildProcess | undefined;
  // Ctrl-C reaches the lane, too; what is ours is removed when it has ended.
  const interrupted = (): void => {
    queue.length = 0;
    child?.kill('SIGTERM');
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    const { seed, draw = 'few' } = options;
    const setting: LaneSetting = { seed, draw, directory, nodes: network.nodes };
    child = startLane(setting);
    await feed(child, queue, (result) => {
      if (result.violations.length > 0) keepEvidence(options, directory, result);
      onResult(result);
    });
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    child?.kill('SIGTERM');
    await until('a lane to end', () => child?.exitCode !== null || child.signalCode !== null);
    network.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function startLane(setting: LaneSetting): ChildProcess {
  const home = setting.nodes.at(-1)?.namespace ?? '';
  const script = join(import.meta.dirname, 'lane.ts');
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', script];
  const argv = ['netns', 'exec', home, ...node, JSON.stringify(setting)];
  // Its own process group: a Ctrl-C comes to us, and we tell it.
  return spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
}

async function feed(
  child: ChildProcess,
  queue: string[],
  onResult: (result: RoundResult) => void,
): Promise<void> {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('a lane without pipes');
  // A lane that is told to end reads no more.
  stdin.on('error', () => stdin.destroy());
  const next = (): void => {
    const round = queue.shift();
    if (round === undefined) stdin.end();
    else stdin.write(`${round}\n`);
  };
  next();
  for await (const line of createInterface({ input: stdout })) {
    onResult(JSON.parse(line) as RoundResult);
    next();
  }
}

function keepEvidence(options: StormOptions, directory: string, result: RoundResult): void {
  const place = join(ROOT, '.cache', 'kill-storm', `${options.seed}-${result.round}`);
  rmSync(place, { recursive: true, force: true });
  cpSync(directory, place, { recursive: true, filter: (source) => !source.endsWith('.sock') });
  writeFileSync(join(place, 'round.json'), JSON.stringify(result, undefined, 2));
  options.say(`  logs of round ${result.round}: ${place}`);
}

function summarize(options: StormOptions, { results }: Kept): StormSummary {
  const healings = results.flatMap((result) => (result.isExpiry ? [] : result.healings));
  const by = (who: string): Spread | undefined =>
    spreadOf(healings.filter((each) => each.by === who).map((each) => each.healedMs));
  const { seed, draw } = options;
  const more = draw === 'all' ? ' --network' : '';
  return {
    at: new Date().toISOString(),
    seed,
    rounds: results.length,
    expiryRounds: results.filter((result) => result.isExpiry).length,
    faultsInForce: results.reduce((sum, { inForce }) => sum + inForce, 0),
    healedMs: { agent: by('agent'), guard: by('guard'), restart: by('restart') },
    expiredMs: spreadOf(results.flatMap((result) => result.expiredMs ?? [])),
    violations: results.flatMap(({ round, isExpiry, violations }) =>
      violations.map((says) => ({
        round,
        says,
        repeat: `./run bench kill-storm --seed ${seed} --only ${round} --expiries ${isExpiry ? round : 0}${more}`,
      })),
    ),
  };
}
