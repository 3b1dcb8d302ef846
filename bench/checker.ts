import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { HistoryCheck } from '../src/core/checkers/engine/check.ts';
import { CHECKERS } from '../src/core/checkers/registry.ts';
import type { HistoryEntry } from '../src/core/model/history.ts';

/**
 * `bench/checker.ts [--records 10000000] [--out FILE] [--json]`: time and memory of judging a history
 * of that many acknowledged records, each read three times (two tails and the final read), in 64
 * topic-partitions whose offsets begin at 3 x 10^9, with anomalies planted that must all be named.
 * Entries are made on the way, so that what is measured is the checking alone, on one core.
 */
const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '10000000' },
    out: { type: 'string' },
    json: { type: 'boolean' },
  },
});
const records = Number(values.records);
const PLACES = 64;
const BATCH = 40;
const BASE = 3e9;
const batches = Math.ceil(records / PLACES / BATCH);

/** Places of one lost record each, and of one record read twice at another offset each. */
const LOST = [3, 17, 40];
const DOUBLE = [5, 60];

function* history(): Generator<HistoryEntry> {
  let index = 0;
  let timeNs = 1e9;
  yield {
    type: 'header',
    version: 1,
    workload: 'log',
    run: 'bench',
    topics: [{ name: 'bench', topicPartitions: PLACES }],
    writers: 1,
    readers: 2,
    acks: 'all',
    idempotence: true,
    clock: { monotonicNs: 0, wallMs: 0 },
    parameters: { rate: 20_000 },
  };
  const next = (): { index: number; timeNs: number } => ({
    index: index++,
    timeNs: (timeNs += 25_000),
  });
  for (let batch = 0; batch < batches; batch++) {
    const first = batch * BATCH;
    for (let topicPartition = 0; topicPartition < PLACES; topicPartition++) {
      const value = { topic: 0, topicPartition, writer: 0, first, count: BATCH };
      const send = { process: 0, f: 'send', value, attempt: 1 } as const;
      const begun = next();
      yield { ...begun, ...send, type: 'invoke', broker: 1 };
      const ended = next();
      yield { ...ended, ...send, type: 'ok', of: begun.index, offset: BASE + first };
      for (let process = 1; process <= 2; process++) {
        yield poll(next(), topicPartition, first, process, false);
      }
    }
  }
  for (let topicPartition = 0; topicPartition < PLACES; topicPartition++) {
    for (let batch = 0; batch < batches; batch++) {
      yield poll(next(), topicPartition, batch * BATCH, 3, true);
    }
    const [from, to] = [BASE, BASE + batches * BATCH];
    const range = { topic: 0, topicPartition, from, to, reached: to } as const;
    yield { ...next(), type: 'ok', process: 3, f: 'finalRead', ...range };
  }
}

function poll(
  base: { index: number; timeNs: number },
  topicPartition: number,
  first: number,
  process: number,
  final: boolean,
): HistoryEntry {
  let runs: [number, number, number, number][] = [[BASE + first, 0, first, BATCH]];
  if (first === 0 && LOST.includes(topicPartition)) {
    runs = [
      [BASE, 0, 0, 5],
      [BASE + 6, 0, 6, BATCH - 6],
    ];
  }
  if (final && first === BATCH && DOUBLE.includes(topicPartition)) {
    runs = [[BASE + first, 0, first - 1, BATCH]];
  }
  const from = BASE + first;
  const next = from + BATCH;
  const value = { topic: 0, topicPartition, from, next, end: next, runs };
  const entry = { ...base, type: 'ok', process, f: 'poll', startedNs: base.timeNs, value } as const;
  return final ? { ...entry, final } : entry;
}

let peakMb = 0;
let seen = 0;
const started = performance.now();
const check = new HistoryCheck(CHECKERS);
for (const entry of history()) {
  check.add(entry);
  if (seen++ % 65_536 === 0) peakMb = Math.max(peakMb, process.memoryUsage.rss() / 1_048_576);
}
const verdict = check.finish();
const seconds = (performance.now() - started) / 1_000;
peakMb = Math.max(peakMb, process.resourceUsage().maxRSS / 1_024);
const found = Object.fromEntries(verdict.anomalies.map(({ kind, count }) => [kind, count]));
const lost = found['lostWrite'] === LOST.length;
const double = (found['duplicate'] ?? 0) === DOUBLE.length * BATCH;
const result = {
  bench: 'checker',
  records: verdict.counts.acknowledged,
  polledRows: verdict.counts.polledRows,
  firstOffset: BASE,
  seconds: Math.round(seconds * 100) / 100,
  rowsPerSecond: Math.round(verdict.counts.polledRows / seconds),
  peakResidentMb: Math.round(peakMb),
  target: { seconds: 30, residentMb: 2_048 },
  plantedNamed: lost && double,
  reached: lost && double && seconds <= 30 && peakMb <= 2_048,
};
if (values.out !== undefined) {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
}
if (values.json === true) console.log(JSON.stringify(result));
else console.log(result, found);
process.exitCode = result.reached || records < 10_000_000 ? 0 : 1;
