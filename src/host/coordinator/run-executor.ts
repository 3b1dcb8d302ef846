import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import type { Logger } from 'pino';
import { reasonOf } from '../../core/base/failure.ts';
import { canonicalJson } from '../../core/base/canonical-json.ts';
import {
  checked,
  endEarly,
  faultCreated,
  faultRefused,
  stepRun,
} from '../../core/coordinator/run-machine.ts';
import type { RunOrder, RunRecord, RunView } from '../../core/coordinator/run-record.ts';
import { intervalsOf, unknownVerdict, withRun } from '../../core/coordinator/run-verdict.ts';
import type { FaultStatus } from '../../core/model/fault-status.ts';
import { hasEnded, STATES } from '../../core/model/lifecycle.ts';
import type { TimelineEntry } from '../../core/model/run.ts';
import type { Verdict } from '../../core/model/verdict.ts';
import type { SeriesEntry } from '../../core/model/series.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { CoordinatorApi, Table } from './api.ts';
import { judge } from './judge.ts';
import type { RunFiles } from './run-files.ts';
import { RunTimeline } from './run-timeline.ts';
import { wholeness } from './run-view.ts';
import type { RunWorkload } from './run-workload.ts';

const TICK_MS = 100;
/** An order is given again this often until it shows. */
const REPEAT_MS = 1_000;
const CLOSE_WAIT_MS = 20_000;
const OPEN = STATES.filter((state) => !hasEnded(state));

/** Executes one run: looks, asks the machine, does what it orders, until the run is done. */
export class RunExecutor {
  record: RunRecord;
  readonly finished: Promise<void>;
  readonly #coordinator: CoordinatorApi;
  readonly #table: Table<RunRecord>;
  readonly #files: RunFiles;
  readonly #workload: RunWorkload | undefined;
  readonly #logger: Logger;
  readonly #timeline: RunTimeline;
  readonly #given = new Map<string, number>();
  /** Faults whose end was seen. */
  readonly #over = new Set<string>();
  #stored = '';
  #isUnwritable = false;
  #closed = false;

  constructor(
    record: RunRecord,
    parts: {
      coordinator: CoordinatorApi;
      table: Table<RunRecord>;
      files: RunFiles;
      workload: RunWorkload | undefined;
      logger: Logger;
    },
  ) {
    this.record = record;
    this.#coordinator = parts.coordinator;
    this.#table = parts.table;
    this.#files = parts.files;
    this.#workload = parts.workload;
    this.#logger = parts.logger;
    this.#timeline = new RunTimeline((entries) => {
      parts.files.note(...entries).catch((error: unknown) => {
        // The timeline is to look at: no verdict rests on it.
        const said = { run: record.status.id, reason: reasonOf(error) };
        this.#logger.warn(said, 'run: its timeline has a gap');
      });
    });
    this.#store();
    this.finished = this.#loop();
  }

  /** The run ends early; everything it did heals. */
  end(outcome: 'cancelled' | 'failed', error?: string): void {
    this.record = endEarly(this.record, outcome, error);
    this.#tryStore();
  }

  /** Stops executing; the run goes on when the coordinator is back. */
  close(): void {
    this.#closed = true;
    this.#workload?.close();
  }

  async #loop(): Promise<void> {
    while (!this.#closed && this.record.status.phase !== 'done') {
      const begunMs = Date.now();
      try {
        await this.#tick();
      } catch (error) {
        // A run must not die of one bad moment: the next one looks again.
        this.#logger.error({ run: this.record.status.id, error }, 'run: a moment failed');
      }
      await sleep(Math.max(10, TICK_MS - (Date.now() - begunMs)));
    }
    while (!this.#closed && !this.#tryStore()) await sleep(REPEAT_MS);
    this.#workload?.close();
  }

  #view(): RunView {
    const nowMs = Date.now();
    const { id } = this.record.status;
    const snapshot = this.#coordinator.clusterSnapshot();
    const status = this.#workload?.status;
    const open = this.#coordinator.listFaults({ run: id, states: OPEN });
    const view: RunView = {
      nowMs,
      faults: open,
      ...wholeness(
        snapshot,
        this.#workload === undefined ? undefined : (status?.topic ?? ''),
        nowMs,
      ),
    };
    if (status !== undefined) view.workload = status;
    const faults = [...open, ...this.#ended(open)];
    this.#timeline.look(view, this.record.status, snapshot, faults);
    return view;
  }

  /** Faults that have ended since the last look, each once: of a long run there are thousands. */
  #ended(open: readonly FaultStatus[]): FaultStatus[] {
    const isOpen = new Set(open.map(({ id }) => id));
    const { faults } = this.record.status;
    const gone = faults.filter((id) => !isOpen.has(id) && !this.#over.has(id));
    const ended = gone.flatMap((id) => this.#coordinator.getFault(id) ?? []);
    for (const { id, state } of ended) if (hasEnded(state)) this.#over.add(id);
    return ended;
  }

  async #tick(): Promise<void> {
    // Not awaited: an agent that does not answer must not hold up a fault's time.
    void this.#workload?.poll(Date.now());
    const phase = this.record.status.phase;
    const step = stepRun(this.record, this.#view());
    this.record = step.record;
    const isStored = this.#tryStore();
    const now = this.record.status.phase;
    if (now !== phase) {
      const run = this.record.status.id;
      this.#coordinator.emit({ type: 'run.phase', run, message: `run ${run}: ${now}` });
    }
    // Healing waits for no disk; all else is written before it is done.
    const orders = step.orders.filter(({ order }) => isStored || order === 'healFault');
    for (const order of orders) await this.#obey(order);
  }

  /** Written before anything is done that follows from it; progress alone is not worth a write. */
  #store(): void {
    const { progress: _progress, ...rest } = this.record.status;
    const text = canonicalJson({ ...this.record, status: rest });
    if (text === this.#stored) return;
    this.#table.put(this.record.status.id, this.record);
    this.#stored = text;
  }

  /** @returns false where it can't be written now, on a full disk: the next moment tries again. */
  #tryStore(): boolean {
    try {
      this.#store();
      this.#isUnwritable = false;
      return true;
    } catch (error) {
      const said = { run: this.record.status.id, reason: reasonOf(error) };
      if (!this.#isUnwritable) this.#logger.error(said, 'run: its record could not be written');
      this.#isUnwritable = true;
      return false;
    }
  }

  #due(key: string): boolean {
    const nowMs = Date.now();
    if (nowMs - (this.#given.get(key) ?? 0) < REPEAT_MS) return false;
    this.#given.set(key, nowMs);
    return true;
  }

  async #obey(order: RunOrder): Promise<void> {
    switch (order.order) {
      case 'createFault':
        return this.#create(order);
      case 'healFault':
        if (this.#due(`heal ${order.id}`)) this.#coordinator.healFault(order.id);
        return;
      case 'startWorkload':
        if (this.#due('start')) await this.#attempt(() => this.#workload?.start());
        return;
      case 'finalRead':
        if (this.#due('finalRead')) await this.#attempt(() => this.#workload?.command('finalRead'));
        return;
      case 'closeWorkload':
        return this.#attempt(() => this.#workload?.command('close'));
      case 'check':
        return this.#check();
    }
  }

  /** Tells the workload something. A no that more asking will not change ends the run. */
  async #attempt(work: () => Promise<unknown> | undefined): Promise<void> {
    try {
      await work();
    } catch (error) {
      const refused = error instanceof HttpProblem && [409, 422].includes(error.status);
      if (refused && this.record.status.phase === 'starting') {
        this.end('failed', `the workload was refused: ${reasonOf(error)}`);
      }
      this.#logger.warn({ run: this.record.status.id, reason: reasonOf(error) }, 'run: workload');
    }
  }

  async #create(order: Extract<RunOrder, { order: 'createFault' }>): Promise<void> {
    const limits = this.record.status.scenario.limits;
    try {
      const options = limits === undefined ? { waitMs: 0 } : { limits, waitMs: 0 };
      await this.#coordinator.createFault(order.request, options);
      this.record = faultCreated(this.record, order.position);
    } catch (error) {
      if (!(error instanceof HttpProblem)) throw error;
      const problems = (error.options.problems ?? []).map(({ message }) => message).join('; ');
      const reason = problems === '' ? error.message : problems;
      this.record = faultRefused(this.record, order.position, reason, Date.now());
    }
    this.#tryStore();
  }

  async #check(): Promise<void> {
    const { status } = this.record;
    let verdict: Verdict;
    try {
      verdict = await this.#judged();
    } catch (error) {
      verdict = unknownVerdict(`the history could not be judged: ${reasonOf(error)}`);
    }
    const faults = this.#coordinator.listFaults({ run: status.id });
    this.record = checked(this.record, withRun(verdict, status, faults), Date.now());
    this.#timeline.phase(this.record.status);
    this.#tryStore();
    const { id } = status;
    const message = `run ${id}: ${this.record.status.verdict?.verdict ?? 'unknown'}`;
    this.#coordinator.emit({ type: 'run.done', run: id, message });
  }

  async #judged(): Promise<Verdict> {
    const { status } = this.record;
    const workload = this.#workload;
    if (workload === undefined) return unknownVerdict('the scenario has no workload');
    await this.#attempt(() => workload.command('close'));
    await this.#closedOrLate();
    await this.#files.keep(await workload.file('history'), this.#files.fetched);
    await this.#series();
    const faults = intervalsOf(this.#coordinator.listFaults({ run: status.id }));
    await this.#files.mergeFaults(faults, workload.clockOffsetMs);
    return judge(this.#files.history, status.scenario.checks);
  }

  /** The workload writes its history to the end before it says that it has closed. */
  async #closedOrLate(): Promise<void> {
    const endMs = Date.now() + CLOSE_WAIT_MS;
    while (Date.now() < endMs) {
      await this.#workload?.poll(Date.now());
      const phase = this.#workload?.status?.phase;
      if (phase === 'closed' || phase === 'failed') return;
      await sleep(TICK_MS);
    }
  }

  /** As much of it as can be had: it is to look at, and no verdict rests on it. */
  async #series(): Promise<void> {
    const entries: TimelineEntry[] = [];
    try {
      const stream = await this.#workload?.file('series');
      for await (const line of stream === undefined ? [] : createInterface({ input: stream })) {
        if (line === '') continue;
        const second = JSON.parse(line) as SeriesEntry;
        entries.push({ at: second.wallMs, entry: 'second', second });
      }
      await this.#files.note(...entries);
    } catch (error) {
      const said = { run: this.record.status.id, reason: reasonOf(error), seconds: entries.length };
      this.#logger.warn(said, 'run: its series is not whole');
    }
  }
}
