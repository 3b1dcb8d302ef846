import { writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/**
 * The CPU burner of cpu.load: `burner.ts --token T WORKERS SHARE-PER-MILLE RAMP-MS TIMEOUT-MS`. A
 * process of its own, known in /proc by its token. It outlives its agent, so that a guard can end it,
 * and ends by itself when no SIGCONT has come for the timeout.
 */
const LOOK_EVERY_MS = 250;

/**
 * Busy for the share of every tenth of a second, asleep for the rest. A thread runs the text of this
 * function and nothing else: a thread that loads a module costs several times the memory.
 */
function burn(sharePerMille: number, rampMs: number): never {
  const sliceMs = 100;
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const startedAt = performance.now();
  for (;;) {
    const sliceAt = performance.now();
    const grown = rampMs > 0 ? Math.min(1, (sliceAt - startedAt) / rampMs) : 1;
    const busyMs = (sliceMs * grown * sharePerMille) / 1000;
    while (performance.now() - sliceAt < busyMs);
    const restMs = sliceMs - (performance.now() - sliceAt);
    if (restMs > 0) Atomics.wait(asleep, 0, 0, restMs);
  }
}

function start(): void {
  const [token = '', ...rest] = process.argv.slice(3);
  const [workers = 0, sharePerMille = 0, rampMs = 0, timeoutMs = 0] = rest.map(Number);
  if (token === '' || !(workers >= 1) || !(timeoutMs > 0)) process.exit(64);
  let endsAt = performance.now() + timeoutMs;
  process.on('SIGCONT', () => (endsAt = performance.now() + timeoutMs));
  try {
    // First in line for the OOM killer: what is under test must not pay for the load.
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not allowed here: it is small.
  }
  const limits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };
  for (let worker = 0; worker < workers; worker++) {
    const text = `(${burn.toString()})(${sharePerMille}, ${rampMs})`;
    new Worker(text, { eval: true, resourceLimits: limits }).unref();
  }
  setInterval(() => {
    if (performance.now() >= endsAt) process.exit(0);
  }, LOOK_EVERY_MS);
}

start();
