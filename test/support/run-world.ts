import assert from 'node:assert/strict';
import {
  checked,
  faultCreated,
  faultRefused,
  stepRun,
} from '../../src/core/coordinator/run-machine.ts';
import {
  newRun,
  type RunOrder,
  type RunRecord,
  type RunView,
} from '../../src/core/coordinator/run-record.ts';
import { unknownVerdict } from '../../src/core/coordinator/run-verdict.ts';
import type { State } from '../../src/core/model/lifecycle.ts';
import type { Scenario, Schedule } from '../../src/core/model/scenario.ts';
import type { WorkloadPhase, WorkloadStatus } from '../../src/core/workloads/status.ts';

export const SCENARIO: Scenario = {
  faultline: 1,
  name: 's',
  duration: '30s',
  steadyState: '2s',
  recovery: '10s',
  workload: { kind: 'log' },
};
export const SCHEDULE: Schedule = {
  version: '1',
  scenario: 's',
  seed: '1',
  durationMs: 30_000,
  kinds: ['noop'],
  faults: [
    { id: 's-1-1', atMs: 5_000, kind: 'noop', targets: 'n1', params: {}, durationMs: 5_000 },
    { id: 's-1-2', atMs: 20_000, kind: 'process.kill', targets: 'n2', params: {} },
  ],
};
export const START_MS = 1_000_000;
export const TICK_MS = 100;

export function status(phase: WorkloadPhase, perSecond: number): WorkloadStatus {
  return {
    kind: 'log',
    run: 'r',
    phase,
    updatedAtMs: 0,
    startedAtMs: 0,
    topic: 't',
    offered: 10,
    acknowledged: 9,
    failed: 0,
    unknown: 1,
    read: 8,
    perSecond: { offered: perSecond, acknowledged: perSecond, read: perSecond },
    latencyMs: { p50: 1, p95: 2, p99: 3, max: 4 },
    errors: {},
    producers: [],
    cpuPercent: 1,
    residentMb: 1,
  };
}

/** A world in which the machine's orders are carried out, and time goes on tick by tick. */
export class World {
  record: RunRecord = newRun('r', SCENARIO, SCHEDULE, START_MS, 'start');
  nowMs = START_MS;
  workload: WorkloadStatus | undefined;
  whole = true;
  faults = new Map<string, { state: State; endsMs: number }>();
  orders: RunOrder[] = [];
  refuse: string | undefined;
  /** Answers no heal: an undo that keeps failing. */
  stuck = false;

  tick(): void {
    for (const fault of this.faults.values()) {
      if (fault.state === 'active' && fault.endsMs <= this.nowMs) fault.state = 'healed';
    }
    const view: RunView = {
      nowMs: this.nowMs,
      faults: [...this.faults].map(([id, { state }]) => ({ id, state })),
      whole: this.whole,
      wholeSays: 'two topic-partitions have no leader',
    };
    if (this.workload) view.workload = this.workload;
    const step = stepRun(this.record, view);
    this.record = step.record;
    for (const order of step.orders) this.obey(order);
    this.nowMs += TICK_MS;
  }

  obey(order: RunOrder): void {
    this.orders.push(order);
    switch (order.order) {
      case 'startWorkload':
        this.workload = status('running', 100);
        break;
      case 'createFault':
        if (this.refuse === undefined) {
          this.faults.set(order.request.id, { state: 'active', endsMs: this.nowMs + 60_000 });
          this.record = faultCreated(this.record, order.position);
        } else {
          this.record = faultRefused(this.record, order.position, this.refuse, this.nowMs);
        }
        break;
      case 'healFault': {
        const fault = this.faults.get(order.id);
        if (fault) fault.state = this.stuck ? 'stuck' : 'healed';
        break;
      }
      case 'finalRead':
        this.workload = status('read', 0);
        break;
      case 'check':
        this.record = checked(this.record, { ...unknownVerdict(''), verdict: 'valid' }, this.nowMs);
        break;
      case 'closeWorkload':
        this.workload = status('closed', 0);
        break;
    }
  }

  until(holds: () => boolean, limitMs = 600_000): void {
    const endMs = this.nowMs + limitMs;
    while (!holds()) {
      assert.ok(this.nowMs < endMs, `still ${this.record.status.phase}`);
      this.tick();
    }
  }

  phase(): string {
    return this.record.status.phase;
  }
}
