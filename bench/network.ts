/** `bench/network.ts [packets] [apply] [proxy] [--json]`: what faults of the network cost, and how exact they are. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { benchApply } from './network/apply.ts';
import { benchPackets } from './network/packets.ts';
import { benchProxy } from './network/proxy.ts';

/** One entry a part: bench/network/NAME.ts. */
const PARTS: Readonly<Record<string, () => Promise<object>>> = {
  packets: benchPackets,
  apply: benchApply,
  proxy: benchProxy,
};

const RESULTS = join(import.meta.dirname, 'results', 'network.json');

function earlier(): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, unknown>;
  } catch {
    // The first time.
    return {};
  }
}

const args = process.argv.slice(2);
const asked = args.filter((arg) => !arg.startsWith('-'));
const results = earlier();
for (const [name, measure] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const loadBefore = loadavg()[0];
  const measured = await measure();
  results[name] = { ...measured, load: [loadBefore, loadavg()[0]] };
  if (args.includes('--json')) console.log(JSON.stringify({ [name]: results[name] }));
  else console.log(name, JSON.stringify(results[name], null, 2));
}
mkdirSync(join(RESULTS, '..'), { recursive: true });
writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
