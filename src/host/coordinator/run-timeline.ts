import type { RunView } from '../../core/coordinator/run-record.ts';
import type { FaultStatus } from '../../core/model/fault-status.ts';
import type { RunStatus, TimelineEntry } from '../../core/model/run.ts';
import type { ClusterSnapshot } from '../../core/model/topology.ts';

const SAMPLE_MS = 1_000;

/** Makes the entries of a run's timeline out of what is seen: changes at once, samples each second. */
export class RunTimeline {
  readonly #write: (entries: TimelineEntry[]) => void;
  #phase: string | undefined;
  #faults = new Map<string, string>();
  #cluster = '';
  #clusterAtMs = 0;
  #workloadAtMs = 0;

  constructor(write: (entries: TimelineEntry[]) => void) {
    this.#write = write;
  }

  look(
    view: RunView,
    run: RunStatus,
    snapshot: ClusterSnapshot | undefined,
    faults: readonly FaultStatus[],
  ): void {
    this.phase(run);
    const entries: TimelineEntry[] = [];
    for (const fault of faults) entries.push(...this.#fault(fault, view.nowMs));
    if (snapshot !== undefined && snapshot.error === undefined) {
      entries.push(...this.#snapshot(snapshot, view.workload?.topic, view.nowMs));
    }
    const { progress } = run;
    if (progress !== undefined && progress.atMs - this.#workloadAtMs >= SAMPLE_MS) {
      this.#workloadAtMs = progress.atMs;
      entries.push({ at: progress.atMs, entry: 'workload', progress });
    }
    if (entries.length > 0) this.#write(entries);
  }

  /** Notes the phase of a run, if it is another one. */
  phase(run: RunStatus): void {
    if (run.phase === this.#phase) return;
    this.#phase = run.phase;
    const at = Date.parse(run.phases.at(-1)?.at ?? run.startedAt);
    this.#write([{ at, entry: 'phase', phase: run.phase }]);
  }

  #fault(fault: FaultStatus, at: number): TimelineEntry[] {
    const { id, kind, state, targets, effect, endedBy } = fault;
    const key = `${state} ${effect} ${endedBy ?? ''}`;
    if (this.#faults.get(id) === key) return [];
    this.#faults.set(id, key);
    const ended = endedBy === undefined ? {} : { endedBy };
    return [{ at, entry: 'fault', id, kind, state, targets, effect, ...ended }];
  }

  #snapshot(snapshot: ClusterSnapshot, topic: string | undefined, nowMs: number): TimelineEntry[] {
    const watched = snapshot.topicPartitions
      .filter((state) => topic === undefined || state.topic === topic)
      .toSorted((a, b) => a.partition - b.partition);
    const { activeController, takenAtMs: at } = snapshot;
    const leaders = watched.map(({ leader }) => leader);
    const isr = watched.map((state) => state.isr);
    const key = JSON.stringify([activeController, leaders, isr]);
    if (key === this.#cluster && nowMs - this.#clusterAtMs < SAMPLE_MS) return [];
    this.#cluster = key;
    this.#clusterAtMs = nowMs;
    return [{ at, entry: 'cluster', activeController, leaders, isr }];
  }
}
