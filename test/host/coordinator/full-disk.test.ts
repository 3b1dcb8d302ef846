import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pino } from 'pino';
import { Failure } from '../../../src/core/base/failure.ts';
import { newRun } from '../../../src/core/coordinator/run-record.ts';
import type { Scenario, Schedule } from '../../../src/core/model/scenario.ts';
import { readSpec } from '../../../src/core/trogdor/spec.ts';
import type { CoordinatorApi } from '../../../src/host/coordinator/api.ts';
import { AuditLog } from '../../../src/host/coordinator/audit.ts';
import { RunExecutor } from '../../../src/host/coordinator/run-executor.ts';
import { RunFiles } from '../../../src/host/coordinator/run-files.ts';
import { CoordinatorTasks } from '../../../src/host/trogdor/coordinator-tasks.ts';
import { until } from '../../support/until.ts';

const FULL = new Failure('store', 'cannot write the state: disk full', { definite: true });

/** A table that can be read and, once it is full, not written. */
function table() {
  const disk = { isFull: false };
  const write = (): void => {
    if (disk.isFull) throw FULL;
  };
  return { disk, table: { get: () => undefined, put: write, delete: write, list: () => [] } };
}

/** /dev/full takes no byte, as a full disk. */
describe('a coordinator on a full disk', () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-full-'));
  after(() => rmSync(directory, { recursive: true }));
  const logger = pino({ level: 'silent' });

  test('what was done is no failure because it could not be written to the audit log', () => {
    const state = join(directory, 'audit');
    mkdirSync(state);
    symlinkSync('/dev/full', join(state, 'audit.jsonl'));
    const errors: unknown[] = [];
    const error = ({ err }: { err?: unknown }): number => errors.push(err);
    const audit = new AuditLog(state, { error });
    const entry = { remote: '::1', method: 'POST', path: '/v1/heal', query: {}, status: 202 };
    audit.write({ name: 'a', role: 'operate' }, entry);
    audit.close();
    assert.match(String(errors[0]), /ENOSPC/);
  });

  test('a gap in a timeline is one: what comes later is written', async () => {
    const files = new RunFiles(directory, 'gap');
    symlinkSync('/dev/full', files.timeline);
    const phase = (at: number) => ({ at, entry: 'phase' as const, phase: 'faults' as const });
    await assert.rejects(files.note(phase(1)), /ENOSPC/);
    rmSync(files.timeline);
    await files.note(phase(2));
    await files.note(phase(3));
    assert.equal(readFileSync(files.timeline, 'utf8').trim().split('\n').length, 2);
    const entries: unknown[] = [];
    for await (const entry of files.entries()) entries.push(entry);
    assert.deepEqual(entries, [phase(2), phase(3)]);
  });

  test('a run that is cancelled heals, and its record is written once there is room', async () => {
    const scenario: Scenario = { faultline: 1, name: 's', duration: '30s' };
    const schedule: Schedule = {
      version: '1',
      scenario: 's',
      seed: '1',
      durationMs: 30_000,
      kinds: ['noop'],
      faults: [{ id: 's-1', atMs: 0, kind: 'noop', targets: 'n1', params: {}, durationMs: 30_000 }],
    };
    let state: string | undefined;
    const listed = () => ({ id: 's-1', kind: 'noop', state, targets: [], effect: 'seen' });
    const coordinator = {
      clusterSnapshot: () => undefined,
      listFaults: () => (state === undefined ? [] : [listed()]),
      getFault: listed,
      createFault: () => {
        state = 'active';
        return Promise.resolve({ created: true, fault: listed() });
      },
      healFault: () => {
        state = 'healed';
      },
      emit: () => undefined,
    };
    const { disk, table: records } = table();
    const executor = new RunExecutor(
      newRun('r', scenario, schedule, 0, new Date(0).toISOString()),
      {
        coordinator: coordinator as unknown as CoordinatorApi,
        table: records,
        files: new RunFiles(directory, 'r'),
        workload: undefined,
        logger,
      },
    );
    await until('the fault stands', () => state === 'active');
    disk.isFull = true;
    executor.end('cancelled');
    await until('it has healed', () => state === 'healed');
    disk.isFull = false;
    await executor.finished;
    assert.equal(executor.record.status.phase, 'done');
  });

  test("a task of Trogdor's that is stopped or destroyed heals", () => {
    const read = readSpec({ class: 'NoOpTaskSpec', startMs: 4e12, durationMs: 60_000 });
    assert.ok('ok' in read && read.ok);
    const { disk, table: records } = table();
    const healed: string[] = [];
    const coordinator = {
      topology: { nodes: [{ name: 'n1', agent: 'http://127.0.0.1:1', addresses: [], roles: [] }] },
      halted: false,
      table: () => records,
      onEvent: () => undefined,
      getFault: (id: string) => ({ id, state: 'active', problems: [], nodes: {} }),
      healFault: (id: string) => healed.push(id),
      createFault: () => new Promise(() => undefined),
    };
    const tasks = new CoordinatorTasks(coordinator as unknown as CoordinatorApi, () => true);
    tasks.create('one', read.value);
    tasks.create('two', read.value);
    disk.isFull = true;
    tasks.stop('one');
    assert.equal(healed.length, 1);
    assert.throws(() => tasks.destroy('two'), /disk full/);
    assert.equal(healed.length, 2);
    disk.isFull = false;
    tasks.destroy('two');
    assert.deepEqual(
      tasks.list().map(([id]) => id),
      ['one'],
    );
  });
});
