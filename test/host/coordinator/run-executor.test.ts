import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { pino } from 'pino';
import { newRun, type RunRecord } from '../../../src/core/coordinator/run-record.ts';
import { newRecord } from '../../../src/core/coordinator/record.ts';
import type { Scenario, Schedule } from '../../../src/core/model/scenario.ts';
import type { CoordinatorApi } from '../../../src/host/coordinator/api.ts';
import { RunExecutor } from '../../../src/host/coordinator/run-executor.ts';
import { RunFiles } from '../../../src/host/coordinator/run-files.ts';
import type { RunWorkload } from '../../../src/host/coordinator/run-workload.ts';
import { Store } from '../../../src/host/coordinator/store.ts';
import { HttpProblem } from '../../../src/host/http/http-problem.ts';
import { HistoryWriter } from '../../support/histories.ts';
import { inDirectory } from '../../support/in-directory.ts';

const SCENARIO: Scenario = { faultline: 1, name: 's', duration: '1s', recovery: '0s' };
const SCHEDULE: Schedule = {
  version: '1',
  scenario: 's',
  seed: '1',
  durationMs: 1_000,
  kinds: ['noop'],
  faults: [{ id: 's-1', atMs: 0, kind: 'noop', targets: 'n1', params: {}, durationMs: 100 }],
};

const begun = (): RunRecord => newRun('r', SCENARIO, SCHEDULE, 0, '2026-01-01T00:00:00Z');

/** Executes a run whose record nobody keeps. */
function executorOf(record: RunRecord, coordinator: object, files: RunFiles, workload?: object) {
  return new RunExecutor(record, {
    coordinator: coordinator as CoordinatorApi,
    table: { get: () => undefined, put: () => undefined, delete: () => undefined, list: () => [] },
    files,
    workload: workload as RunWorkload | undefined,
    logger: pino({ level: 'silent' }),
  });
}

test('a run looks at the faults that stand, and at one that has ended once', () =>
  inDirectory(async (directory) => {
    let state = 'pending';
    let isMade = false;
    let looks = 0;
    const fault = () => ({ id: 's-1', kind: 'noop', state, targets: [], effect: 'seen' });
    const coordinator = {
      clusterSnapshot: () => undefined,
      listFaults: ({ states }: { states?: readonly string[] }) =>
        [fault()].filter((one) => isMade && states?.includes(one.state) === true),
      getFault: (id: string) => {
        looks++;
        return { ...fault(), id };
      },
      createFault: () => {
        isMade = true;
        state = 'healed';
        return Promise.resolve({ created: true, fault: fault() });
      },
      healFault: assert.fail,
      emit: () => undefined,
    };
    const files = new RunFiles(directory, 'r');
    const executor = executorOf(begun(), coordinator, files);
    await executor.finished;
    const seen: string[] = [];
    for await (const entry of files.entries()) {
      const { entry: sort, state: said } = entry as { entry: string; state?: string };
      if (sort === 'fault') seen.push(said ?? '');
    }
    assert.deepEqual(seen, ['healed']);
    assert.equal(looks, 1);
  }));

test('a series that is not to be had spoils no verdict', () =>
  inDirectory(async (directory) => {
    const [header] = new HistoryWriter().entries;
    const workload = {
      status: { phase: 'closed', perSecond: {}, latencyMs: {} },
      clockOffsetMs: 0,
      poll: () => Promise.resolve(),
      command: () => Promise.resolve(),
      close: () => undefined,
      file: (name: string) =>
        name === 'history'
          ? Promise.resolve(Readable.from(`${JSON.stringify(header)}\n`))
          : Promise.reject(new HttpProblem(404, 'there is no series yet')),
    };
    const record = begun();
    record.status.phase = 'checking';
    const coordinator = { clusterSnapshot: () => undefined, listFaults: () => [], emit: () => {} };
    const executor = executorOf(record, coordinator, new RunFiles(directory, 'r'), workload);
    await executor.finished;
    const { verdict } = executor.record.status;
    assert.ok(verdict);
    assert.doesNotMatch(verdict.reasons.join(), /series|could not be judged/);
  }));

test('faults that have not ended are found among many that have', () =>
  inDirectory((directory) => {
    const store = new Store(directory);
    const now = { wallMs: 1, bootMs: 1 };
    for (const [id, run, stage] of [
      ['a', 'r', 'ended'],
      ['b', 'r', 'active'],
      ['c', 'other', 'active'],
    ] as const) {
      const record = newRecord(
        { id, run, kind: 'noop', params: {}, targets: 'n1' },
        now,
        undefined,
      );
      store.putFault({ ...record, stage });
    }
    const ids = (run: string | undefined, onlyOpen: boolean): string =>
      store
        .faults(run, 10, onlyOpen)
        .map(({ id }) => id)
        .join('');
    assert.equal(ids('r', true), 'b');
    assert.equal(ids(undefined, true), 'cb');
    assert.equal(ids('r', false), 'ba');
    store.close();
  }));
