import { fnv1a64 } from '../../core/base/hash.ts';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { describeProblem } from '../../core/base/problem.ts';
import type { ValueRange } from '../../core/model/operation.ts';
import { LogPlan, logSettings, type LogSettings } from '../../core/workloads/log.ts';
import type { RunMark } from '../../core/workloads/payload.ts';
import type { WorkloadSpec } from '../../core/workloads/spec.ts';
import type { WorkloadPhase } from '../../core/workloads/status.ts';
import { createTopic } from '../kafka/admin.ts';
import type { Address } from '../kafka/broker-connection.ts';
import { ClusterConnections, parseBootstrap } from '../kafka/cluster-connections.ts';
import { Producer } from '../kafka/producer.ts';
import { Reader } from '../kafka/reader.ts';
import { securityOptions, type SecurityOptions } from '../kafka/security.ts';
import { finalRead } from './final-read.ts';
import { LogSource } from './log-source.ts';
import { pollObserver } from './poll-observer.ts';
import { monotonicNs, type Recorder } from './recorder.ts';
import { SendRecord } from './send-record.ts';
import type { Tally } from './tally.ts';

const NOBODY = { polled() {}, pollFailed() {}, sought() {} };
const CREATE_MS = 60_000;
const AHEAD_MS = 500;

interface Writer {
  source: LogSource;
  record: SendRecord;
  producer: Producer<ValueRange>;
}

/** One run of the workload `log`: create, run, drain, final read. Phases are driven from outside. */
export class LogWorkload {
  readonly settings: LogSettings;
  readonly tally: Tally;
  phase: WorkloadPhase = 'starting';
  finalRead: { done: number; of: number; complete: boolean } | undefined;
  #spec: WorkloadSpec;
  #recorder: Recorder;
  #bootstrap: Address[];
  #security: SecurityOptions;
  #run: RunMark;
  #plan: LogPlan;
  #writers: Writer[] = [];
  #readers: Reader[] = [];
  #base: number[] = [];
  #startedMs = 0;
  #limit = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #errors = new Map<string, number>();

  /** @throws Failure `bad-properties`, `bad-bootstrap`. @param spec checked already. */
  constructor(spec: WorkloadSpec, recorder: Recorder, tally: Tally) {
    this.#spec = spec;
    this.#recorder = recorder;
    this.tally = tally;
    this.settings = logSettings(spec.params ?? {}, spec.run);
    const security = securityOptions(spec.kafka.properties ?? {});
    if (!security.ok) {
      const message = security.problems.map(describeProblem).join('; ');
      throw new Failure('bad-properties', message, { definite: true });
    }
    this.#security = security.value;
    this.#bootstrap = parseBootstrap(spec.kafka.bootstrap);
    this.#plan = new LogPlan(this.settings);
    // Another run with the same name must not look like this one.
    const mark = fnv1a64(`${spec.run} ${Date.now()} ${process.pid}`);
    this.#run = { high: Number(mark >> 32n), low: Number(mark & 0xffffffffn) };
  }

  #connections(requestTimeoutMs: number): ClusterConnections {
    return new ClusterConnections(this.#bootstrap, {
      clientId: `faultline-${this.#spec.run}`,
      connectTimeoutMs: Math.min(2_000, requestTimeoutMs),
      requestTimeoutMs,
      security: this.#security,
    });
  }

  /** Creates the topic, waits until it has leaders, and finds where its log stands. @throws Failure. */
  async create(): Promise<void> {
    this.phase = 'creating';
    const { settings } = this;
    const deadlineMs = performance.now() + CREATE_MS;
    const connections = this.#connections(5_000);
    const places = Array.from({ length: settings.topicPartitions }, (_, topicPartition) => ({
      topic: settings.topic,
      topicPartition,
      position: 0,
    }));
    const polling = { readCommitted: false, minBytes: 1, maxWaitMs: 100, backoffMs: 100 };
    const reader = new Reader(connections, places, polling, NOBODY);
    for (const place of reader.places) place.until = 0;
    try {
      await this.#createTopic(connections, deadlineMs);
      reader.start();
      const ranges = reader.places.map((place) => reader.range(place, deadlineMs));
      this.#base = (await Promise.all(ranges)).map(({ end }) => end);
    } finally {
      await reader.close();
    }
    this.#writeHeader();
  }

  async #createTopic(connections: ClusterConnections, deadlineMs: number): Promise<void> {
    const { topic: name, topicPartitions, replicationFactor, minInsyncReplicas } = this.settings;
    const config = {
      'min.insync.replicas': String(minInsyncReplicas),
      ...this.settings.topicConfig,
    };
    const topic = { name, topicPartitions, replicationFactor, config };
    for (;;) {
      try {
        await createTopic(connections, topic, 5_000);
        return;
      } catch (error) {
        const wait = error instanceof Failure && RETRIED.includes(error.code);
        if (!wait || performance.now() > deadlineMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  #writeHeader(): void {
    const { settings } = this;
    this.#recorder.header({
      type: 'header',
      version: 1,
      workload: 'log',
      run: this.#spec.run,
      topics: [{ name: settings.topic, topicPartitions: settings.topicPartitions }],
      writers: settings.producers,
      readers: settings.readers,
      acks: settings.acks,
      idempotence: settings.idempotence,
      controllers: (this.#spec.controllers ?? []).map(({ node }) => node),
      clock: { monotonicNs: monotonicNs(), wallMs: Date.now() },
      parameters: { ...settings },
    });
  }

  /** Begins the load and the tailing reads. */
  start(): void {
    const { settings } = this;
    this.phase = 'running';
    for (let index = 0; index < settings.readers; index++) this.#startReader(index);
    // The timetable begins a little later, so that the first arrivals find connections.
    const start = {
      monotonicMs: performance.now() + AHEAD_MS,
      wallMs: Date.now() + AHEAD_MS,
    };
    this.#startedMs = start.monotonicMs;
    const places = Array.from({ length: settings.topicPartitions }, (_, topicPartition) => ({
      topic: settings.topic,
      topicPartition,
    }));
    for (let index = 0; index < settings.producers; index++) {
      const source = new LogSource(index, this.#plan, settings, this.#run, start);
      const record = new SendRecord(this.#recorder, this.tally, source);
      // The broker answers REQUEST_TIMED_OUT first; only then is the connection given up.
      const connections = this.#connections(settings.requestTimeoutMs + 500);
      const producer = new Producer(connections, places, settings, source, record);
      producer.start();
      this.#writers.push({ source, record, producer });
    }
    this.#timer = setInterval(() => this.update(), 100);
  }

  #startReader(index: number): void {
    const { settings } = this;
    const readCommitted = settings.isolation === 'read_committed';
    const process = settings.producers + index;
    const bytesPerSecond = settings.rate * (settings.recordBytes + 12);
    const places = this.#base.map((position, topicPartition) => ({
      topic: settings.topic,
      topicPartition,
      position,
    }));
    const observer = pollObserver(this.#recorder, process, this.#run, false, (rows) => {
      if (index === 0) this.tally.totals.read += rows;
    });
    const polling = {
      readCommitted,
      // About 20 ms of one broker's share, so that a fast log does not mean a fetch a record.
      minBytes: Math.max(1, Math.min(64 * 1024, Math.floor(bytesPerSecond / 150))),
      maxWaitMs: 50,
      backoffMs: 100,
    };
    const reader = new Reader(this.#connections(2_000), places, polling, observer);
    const positions = places.map(({ topicPartition, position }) => ({
      topic: 0,
      topicPartition,
      offset: position,
    }));
    this.#recorder.add({ type: 'ok', process, f: 'assign', positions });
    reader.start();
    this.#readers.push(reader);
  }

  /** Counts what is due, and records what came too late. */
  update(): void {
    if (this.phase !== 'running' && this.phase !== 'draining') return;
    const nowMs = performance.now();
    const due = this.#plan.arrivals((nowMs - this.#startedMs) * 1e6);
    this.tally.totals.offered = Math.min(due, this.#limit);
    for (const { source, record } of this.#writers) {
      for (let place = 0; place < this.settings.topicPartitions; place++) {
        const expired = source.takeExpired(place, nowMs);
        if (expired !== undefined) record.expired(expired);
      }
    }
  }

  /** No new arrivals; resolves when everything offered is settled (deliveryTimeout bounds it). */
  async stop(): Promise<void> {
    this.phase = 'draining';
    this.#limit = this.#plan.arrivals((performance.now() - this.#startedMs) * 1e6);
    for (const { source } of this.#writers) source.limit = this.#limit;
    while (this.#pending() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    this.update();
    for (const { producer } of this.#writers) producer.close();
    clearInterval(this.#timer);
    this.phase = 'stopped';
  }

  #pending(): number {
    const nowMs = performance.now();
    return this.#writers.reduce(
      (sum, { source, producer }) => sum + source.waiting(nowMs) + producer.unsettled,
      0,
    );
  }

  /** @returns whether every topic-partition was read from start to end. */
  async readAll(): Promise<boolean> {
    this.phase = 'finalRead';
    for (const reader of this.#readers) {
      await reader.close();
      this.#addErrors(reader.errors);
    }
    this.#readers = [];
    const of = this.settings.topicPartitions;
    const complete = await finalRead({
      connections: this.#connections(3_000),
      recorder: this.#recorder,
      process: this.settings.producers + this.settings.readers,
      settings: this.settings,
      run: this.#run,
      base: this.#base,
      progress: (done) => {
        this.finalRead = { done, of, complete: false };
      },
      errors: (errors) => this.#addErrors(errors),
    });
    this.finalRead = { done: this.finalRead?.done ?? 0, of, complete };
    this.phase = 'read';
    return complete;
  }

  #addErrors(errors: ReadonlyMap<string, number>): void {
    for (const [name, count] of errors) {
      this.#errors.set(name, (this.#errors.get(name) ?? 0) + count);
    }
  }

  /** Errors since the start, by name. */
  errors(): Record<string, number> {
    const all = new Map(this.#errors);
    for (const { errors } of [...this.#writers.map(({ producer }) => producer), ...this.#readers]) {
      for (const [name, count] of errors) all.set(name, (all.get(name) ?? 0) + count);
    }
    return Object.fromEntries(all);
  }

  producers(): string[] {
    return this.#writers.map(({ producer }) => producer.state);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const { producer } of this.#writers) producer.close();
    for (const reader of this.#readers) await reader.close();
    this.#readers = [];
  }
}

const RETRIED = [
  'cluster-unreachable',
  'not-connected',
  'connection-lost',
  'request-timed-out',
  'REQUEST_TIMED_OUT',
  'NOT_CONTROLLER',
  'INVALID_REPLICATION_FACTOR',
];

/** Says why a failed workload failed. */
export function failureReason(error: unknown): string {
  return error instanceof Failure ? `${error.code}: ${error.message}` : reasonOf(error);
}
