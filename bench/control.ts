import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from '../test/support/needs.ts';
import { TestNetwork } from '../test/support/netns.ts';
import { median, percentile, type Round } from './control/round.ts';

/**
 * `bench/control.ts [--rounds 20] [--turns 2] [--only NAME] [--json]`: how long until a network
 * partition is in force, known to be, and gone: the real Trogdor of its jar and Faultline in turn, on
 * the same namespaces. Three real agents with real rules; then 100 agents that only speak the protocol.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    turns: { type: 'string', default: '2' },
    only: { type: 'string' },
    json: { type: 'boolean' },
    resume: { type: 'boolean' },
  },
});

const AGENTS = 3;
const STUBS = 100;
const SETTINGS = ['trogdor-real', 'faultline-real', 'trogdor-stubs', 'faultline-stubs'] as const;
type Setting = (typeof SETTINGS)[number];
const FIGURES = ['lastRuleMs', 'skewMs', 'reportedSkewMs', 'knownMs', 'healKnownMs'] as const;
const MORE = ['lastRemovedMs'] as const;

interface Measured {
  name: string;
  rounds: Round[];
  clockErrorsMs?: number[];
  clockErrorsAtFirstMs?: number[];
}

interface Figure {
  median: number;
  p99: number;
  max: number;
}

const jarDirectory = join(process.env['FAULTLINE_CACHE'] ?? join(ROOT, '.cache'), 'trogdor/4.1.0');
const say = (line: string): void => console.error(line);

/** One rival's rounds, measured inside the last namespace. */
async function measure(network: TestNetwork, setting: Setting, rounds: number): Promise<Measured> {
  const home = network.nodes.at(-1);
  if (!home) throw new Error('no nodes');
  const directory = mkdtempSync(join(tmpdir(), 'faultline-bench-control-'));
  try {
    const place = { jarDirectory, directory };
    const given = JSON.stringify({ place, nodes: network.nodes, stubs: STUBS });
    const script = join(import.meta.dirname, 'control', 'measure.ts');
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', script];
    const argv = [...node, setting, String(rounds), given];
    const inside = ['netns', 'exec', home.namespace, ...argv];
    const child = spawn('ip', inside, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    if (code !== 0) throw new Error(`${setting} ended with ${String(code)}: ${text}`);
    return JSON.parse(text) as Measured;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function joined(before: Measured | undefined, after: Measured): Measured {
  if (!before) return after;
  const all: Measured = { name: after.name, rounds: [...before.rounds, ...after.rounds] };
  for (const name of ['clockErrorsMs', 'clockErrorsAtFirstMs'] as const) {
    const errors = [...(before[name] ?? []), ...(after[name] ?? [])];
    if (errors.length > 0) all[name] = errors;
  }
  return all;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

function figure(list: readonly number[]): Figure | undefined {
  if (list.length === 0) return undefined;
  const max = rounded(Math.max(...list));
  return { median: rounded(median(list)), p99: rounded(percentile(list, 0.99)), max };
}

function summary({
  rounds,
  clockErrorsMs,
  clockErrorsAtFirstMs,
}: Measured): Record<string, Figure> {
  const figures = [...FIGURES, ...MORE].flatMap((name) => {
    const found = figure(rounds.flatMap((round) => round[name] ?? []));
    return found === undefined ? [] : [[name, found] as const];
  });
  const clock = figure(clockErrorsMs ?? []);
  const first = figure(clockErrorsAtFirstMs ?? []);
  return Object.fromEntries([
    ...figures,
    ...(first ? [['clockErrorAtFirstMs', first] as const] : []),
    ...(clock ? [['clockErrorMs', clock] as const] : []),
  ]);
}

/** How many times longer Trogdor takes, by medians. */
function ratios(
  trogdor: Record<string, Figure> | undefined,
  faultline: Record<string, Figure> | undefined,
): Record<string, number> {
  if (!trogdor || !faultline) return {};
  return Object.fromEntries(
    Object.entries(trogdor).flatMap(([name, { median: theirs }]) => {
      const ours = faultline[name]?.median;
      return ours === undefined ? [] : [[name, rounded(theirs / ours)]];
    }),
  );
}

async function main(): Promise<void> {
  const measured = new Map<Setting, Measured>();
  const turns = Number(values.turns);
  const share = Math.ceil(Number(values.rounds) / turns);
  const loads: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    for (const setting of SETTINGS) {
      if (values.only !== undefined && !setting.includes(values.only)) continue;
      const network = new TestNetwork('flb', AGENTS + 1, 201);
      try {
        loads.push(loadavg()[0] ?? Number.NaN);
        say(`${setting}: ${share} rounds (load ${loads.at(-1)?.toFixed(1)})`);
        measured.set(
          setting,
          joined(measured.get(setting), await measure(network, setting, share)),
        );
      } finally {
        network.close();
      }
    }
  }
  const figures = Object.fromEntries([...measured].map(([name, each]) => [name, summary(each)]));
  const results = {
    at: new Date().toISOString(),
    rounds: share * turns,
    loadAtStart: loads.map(rounded),
    figures,
    trogdorOverFaultline: {
      real: ratios(figures['trogdor-real'], figures['faultline-real']),
      stubs: ratios(figures['trogdor-stubs'], figures['faultline-stubs']),
    },
  };
  if (values.only === undefined) {
    mkdirSync(join(ROOT, 'bench/results'), { recursive: true });
    const text = `${JSON.stringify(results, undefined, 2)}\n`;
    writeFileSync(join(ROOT, 'bench/results/control.json'), text);
  }
  if (values.json) console.log(JSON.stringify(results));
  else print(figures, results.trogdorOverFaultline);
}

function print(figures: Record<string, Record<string, Figure>>, over: object): void {
  for (const [setting, found] of Object.entries(figures)) {
    console.log(`\n${setting} (ms)`.padEnd(24), 'median'.padStart(9), 'p99'.padStart(9));
    for (const [name, each] of Object.entries(found))
      console.log(
        `  ${name}`.padEnd(23),
        String(each.median).padStart(9),
        String(each.p99).padStart(9),
      );
  }
  console.log('\nTrogdor over Faultline, medians:', JSON.stringify(over));
}

await main();
