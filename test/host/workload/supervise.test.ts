import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkHistoryFile } from '../../../src/host/workload/check-file.ts';
import { compressHistory, LineFile, readHistory } from '../../../src/host/workload/history-file.ts';
import {
  adoptWorkload,
  killWorkload,
  readStatus,
  sendWorkload,
  startWorkload,
} from '../../../src/host/workload/supervise.ts';
import { HistoryWriter } from '../../support/histories.ts';
import { lacks } from '../../support/needs.ts';
import { until } from '../../support/until.ts';

const place = mkdtempSync(join(tmpdir(), 'faultline-workload-'));
after(() => rmSync(place, { recursive: true }));

/** Nothing listens there: a reserved port of the discard service on a loopback address. */
const kafka = { bootstrap: '127.0.0.9:9' };

function commandLines(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8');
    } catch {
      // No process, or one that has gone.
      return [];
    }
  });
}

async function entriesOf(path: string): Promise<number> {
  let count = 0;
  for await (const entries of readHistory(path)) count += entries.length;
  return count;
}

test('a workload is started once, adopted, told to die, and never called a success', async () => {
  const directory = join(place, 'one');
  const spec = { kind: 'log', run: 'r1', kafka };
  const started = startWorkload(spec, directory);
  assert.deepEqual(startWorkload(spec, directory), started);
  assert.deepEqual(adoptWorkload(directory), { process: started, alive: true });
  await until('a status', () => readStatus(directory)?.phase === 'creating');
  assert.ok(killWorkload(directory));
  await until('its end', () => adoptWorkload(directory)?.alive === false);
  const status = readStatus(directory);
  assert.equal(status?.phase, 'failed');
  assert.match(status?.error ?? '', /died/);
  assert.equal(killWorkload(directory), false);
  assert.equal((await checkHistoryFile(join(directory, 'history.jsonl'))).verdict, 'unknown');
});

test('another process with the same pid is not taken for the workload', () => {
  const directory = join(place, 'two');
  startWorkload({ kind: 'log', run: 'r2', kafka }, directory);
  const file = join(directory, 'process.json');
  const known = JSON.parse(readFileSync(file, 'utf8')) as { pid: number; birth: number };
  writeFileSync(file, JSON.stringify({ ...known, birth: known.birth - 1 }));
  assert.equal(adoptWorkload(directory)?.alive, false);
  assert.equal(killWorkload(directory), false);
  writeFileSync(file, JSON.stringify(known));
  assert.ok(killWorkload(directory));
});

test('the process of a damaged file is found by its arguments', async () => {
  const directory = join(place, 'damaged');
  const spec = { kind: 'log', run: 'r4', kafka };
  const started = startWorkload(spec, directory);
  const file = join(directory, 'process.json');
  const whole = readFileSync(file, 'utf8');
  for (const damaged of ['', whole.slice(0, -9), 'null', '{"pid":1}']) {
    writeFileSync(file, damaged);
    assert.deepEqual(adoptWorkload(directory), { process: started, alive: true }, damaged);
    assert.deepEqual(startWorkload(spec, directory), started, damaged);
  }
  assert.ok(killWorkload(directory));
  await until('its end', () => adoptWorkload(directory)?.alive === false);
  assert.equal(killWorkload(directory), false);
  // What has run there does not run again.
  startWorkload(spec, directory);
  assert.equal(adoptWorkload(directory)?.alive, false);
});

test('one whose starter was killed before he noted it is found by its arguments', async () => {
  const directory = join(place, 'unwritten');
  const spec = { kind: 'log', run: 'r6', kafka };
  const started = startWorkload(spec, directory);
  rmSync(join(directory, 'process.json'));
  assert.deepEqual(startWorkload(spec, directory), started);
  assert.ok(killWorkload(directory));
  await until('its end', () => adoptWorkload(directory)?.alive === false);
  // What has run there does not run again.
  assert.deepEqual(startWorkload(spec, directory), started);
});

test('a load that could not be noted is ended', { skip: lacks('linux') }, async () => {
  const directory = join(place, 'unnoted');
  // A directory in the place of the file that is written first.
  mkdirSync(join(directory, 'process.json.new'), { recursive: true });
  assert.throws(() => startWorkload({ kind: 'log', run: 'r5', kafka }, directory), /is ended/);
  assert.equal(adoptWorkload(directory), undefined);
  await until('its end', () => !commandLines().some((line) => line.includes(directory)));
});

test(
  'a load is not spared by the OOM killer, though the agent is',
  { skip: lacks('linux') },
  () => {
    const directory = join(place, 'spared');
    const own = '/proc/self/oom_score_adj';
    const before = readFileSync(own, 'utf8');
    try {
      // Less than nothing takes a capability that not every root has.
      writeFileSync(own, '100');
      const { pid } = startWorkload({ kind: 'log', run: 'r3', kafka }, directory);
      assert.equal(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim(), '0');
    } finally {
      writeFileSync(own, before);
      killWorkload(directory);
    }
  },
);

test('nothing is told to a directory without a workload', () => {
  assert.throws(() => sendWorkload(place, { command: 'stop' }), /no workload/);
  assert.equal(adoptWorkload(place), undefined);
});

test('a bad spec ends at once and says every problem in its log', async () => {
  const directory = join(place, 'bad');
  startWorkload({ kind: 'log', run: 'R 1', kafka, params: { rate: 0 } }, directory);
  await until('its end', () => adoptWorkload(directory)?.alive === false);
  const log = readFileSync(join(directory, 'process.log'), 'utf8');
  assert.match(log, /\/run/);
  assert.ok(!readdirSync(directory).includes('history.jsonl'));
});

test('a history file: torn at the end, damaged in the middle, compressed', async () => {
  const path = join(place, 'history.jsonl');
  const history = new HistoryWriter().send('ok', 0, 0).final([[0, 0, 0, 1]], 0, 1);
  const lines = history.entries.map((entry) => JSON.stringify(entry));
  const file = await LineFile.create(path);
  for (const line of lines) file.append(line);
  await file.close();
  assert.equal(file.error, undefined);
  assert.equal(await entriesOf(path), lines.length);
  await assert.rejects(LineFile.create(path), /cannot be created/);
  writeFileSync(path, `${lines.join('\n')}\n{"type":"o`);
  assert.equal((await checkHistoryFile(path)).verdict, 'valid');
  const packed = await compressHistory(path);
  assert.equal((await checkHistoryFile(packed)).verdict, 'valid');
  const broken = join(place, 'broken.jsonl');
  writeFileSync(broken, [...lines.slice(0, 2), '{"tor', ...lines.slice(2), ''].join('\n'));
  assert.equal((await checkHistoryFile(broken)).verdict, 'unknown');
  await assert.rejects(checkHistoryFile(join(place, 'none')), /cannot be read/);
});

test('an error of writing is kept, and nothing is written after it', async () => {
  // A closed file refuses every write, as a full disk does.
  const file = await LineFile.create(join(place, 'full.jsonl'));
  await file.close();
  file.append('{}');
  await file.flush();
  assert.match(file.error ?? '', /cannot be written/);
});
