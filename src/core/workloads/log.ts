import { Type, type Static } from 'typebox';
import { Duration, durationMs } from '../base/duration.ts';
import type { Problem } from '../base/problem.ts';
import { SMALLEST_RECORD_BYTES } from './payload.ts';

const strict = { additionalProperties: false };

/**
 * Parameters of the workload `log`: unique values to and from topic-partitions, at a fixed rate.
 * Fields left out take the defaults of `logParameters`.
 */
export const LogParameters = Type.Object(
  {
    topic: Type.Optional(Type.String({ pattern: '^[a-zA-Z0-9._-]{1,249}$' })),
    topicPartitions: Type.Optional(Type.Integer({ minimum: 1, maximum: 512 })),
    replicationFactor: Type.Optional(Type.Integer({ minimum: 1, maximum: 15 })),
    minInsyncReplicas: Type.Optional(Type.Integer({ minimum: 1, maximum: 15 })),
    /** Further topic configuration, Kafka's names. */
    topicConfig: Type.Optional(Type.Record(Type.String(), Type.String())),
    /** Records a second over all producers. */
    rate: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    recordBytes: Type.Optional(
      Type.Integer({ minimum: SMALLEST_RECORD_BYTES, maximum: 1_000_000 }),
    ),
    acks: Type.Optional(Type.Enum(['all', '1', '0'])),
    idempotence: Type.Optional(Type.Boolean()),
    /** Further attempts after the first; default: as many as fit into deliveryTimeout. */
    retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647 })),
    retryBackoff: Type.Optional(Duration),
    requestTimeout: Type.Optional(Duration),
    /** From the intended arrival to giving up. */
    deliveryTimeout: Type.Optional(Duration),
    /** Batches of one topic-partition in flight: default 5 when idempotent, otherwise 1 (keeps order). */
    inFlight: Type.Optional(Type.Integer({ minimum: 1, maximum: 5 })),
    linger: Type.Optional(Duration),
    batchRecords: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    producers: Type.Optional(Type.Integer({ minimum: 1, maximum: 64 })),
    readers: Type.Optional(Type.Integer({ minimum: 0, maximum: 16 })),
    isolation: Type.Optional(Type.Enum(['read_uncommitted', 'read_committed'])),
    /** Load for `busy`, then none for `quiet`, again and again. */
    idle: Type.Optional(Type.Object({ busy: Duration, quiet: Duration }, strict)),
    /** The workload ends itself after this long, should nobody tell it to. */
    longest: Type.Optional(Duration),
    finalReadTimeout: Type.Optional(Duration),
  },
  strict,
);
export type LogParameters = Static<typeof LogParameters>;

/** The parameters with every default filled in; times in milliseconds. */
export interface LogSettings {
  topic: string;
  topicPartitions: number;
  replicationFactor: number;
  minInsyncReplicas: number;
  topicConfig: Record<string, string>;
  rate: number;
  recordBytes: number;
  acks: 'all' | '1' | '0';
  idempotence: boolean;
  retries: number;
  retryBackoffMs: number;
  requestTimeoutMs: number;
  deliveryTimeoutMs: number;
  inFlight: number;
  lingerMs: number;
  batchRecords: number;
  producers: number;
  readers: number;
  isolation: 'read_uncommitted' | 'read_committed';
  idle?: { busyMs: number; quietMs: number };
  longestMs: number;
  finalReadTimeoutMs: number;
}

function ms(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : durationMs(text);
}

/** Fills in defaults. @param run names the topic where the document does not. */
export function logSettings(given: LogParameters, run: string): LogSettings {
  const acks = given.acks ?? 'all';
  const idempotence = given.idempotence ?? acks === 'all';
  const settings: LogSettings = {
    topic: given.topic ?? `faultline-${run}`,
    topicPartitions: given.topicPartitions ?? 6,
    replicationFactor: given.replicationFactor ?? 3,
    minInsyncReplicas: given.minInsyncReplicas ?? (acks === 'all' ? 2 : 1),
    topicConfig: given.topicConfig ?? {},
    rate: given.rate ?? 1_000,
    recordBytes: given.recordBytes ?? 100,
    acks,
    idempotence,
    retries: given.retries ?? 2_147_483_647,
    retryBackoffMs: ms(given.retryBackoff, 100),
    requestTimeoutMs: ms(given.requestTimeout, 5_000),
    deliveryTimeoutMs: ms(given.deliveryTimeout, 30_000),
    inFlight: given.inFlight ?? (idempotence ? 5 : 1),
    lingerMs: ms(given.linger, 10),
    batchRecords: given.batchRecords ?? 1_000,
    producers: given.producers ?? 1,
    readers: given.readers ?? 1,
    isolation: given.isolation ?? 'read_uncommitted',
    longestMs: ms(given.longest, 3_600_000),
    finalReadTimeoutMs: ms(given.finalReadTimeout, 120_000),
  };
  if (given.idle !== undefined) {
    settings.idle = { busyMs: ms(given.idle.busy, 0), quietMs: ms(given.idle.quiet, 0) };
  }
  return settings;
}

/** What the schema cannot say. */
export function checkLogSettings(settings: LogSettings): Problem[] {
  const problems: Problem[] = [];
  const say = (path: string, message: string): number => problems.push({ path, message });
  if (settings.idempotence && settings.acks !== 'all') {
    say('/idempotence', "an idempotent producer needs acks 'all'");
  }
  if (settings.minInsyncReplicas > settings.replicationFactor) {
    say('/minInsyncReplicas', 'more in-sync replicas than replicas: no write would succeed');
  }
  if (settings.deliveryTimeoutMs < settings.requestTimeoutMs) {
    say('/deliveryTimeout', 'shorter than requestTimeout: a batch would expire before its request');
  }
  if (settings.idle !== undefined && settings.idle.busyMs < 1) {
    say('/idle/busy', 'at least a millisecond of load');
  }
  if (settings.recordBytes * 2 > 1_000_000) say('/recordBytes', 'at most 500000');
  return problems;
}

/**
 * The timetable and who sends what: arrival i is due at a time fixed in advance, and belongs to writer
 * i mod P; its j = floor(i / P) gives topic-partition j mod T and sequence floor(j / T). All of it is
 * arithmetic, so a backlog of any length costs no memory.
 */
export class LogPlan {
  readonly writers: number;
  readonly topicPartitions: number;
  readonly rate: number;
  readonly #busyNs: number;
  readonly #quietNs: number;

  constructor(settings: Pick<LogSettings, 'producers' | 'topicPartitions' | 'rate' | 'idle'>) {
    this.writers = settings.producers;
    this.topicPartitions = settings.topicPartitions;
    this.rate = settings.rate;
    this.#busyNs = (settings.idle?.busyMs ?? 0) * 1e6;
    this.#quietNs = (settings.idle?.quietMs ?? 0) * 1e6;
  }

  /** Nanoseconds after the start at which arrival i is due. */
  dueNs(arrival: number): number {
    const activeNs = (arrival * 1e9) / this.rate;
    if (this.#busyNs === 0) return activeNs;
    return activeNs + Math.floor(activeNs / this.#busyNs) * this.#quietNs;
  }

  /** How many arrivals are due once that much time has passed. */
  arrivals(elapsedNs: number): number {
    if (elapsedNs < 0) return 0;
    let activeNs = elapsedNs;
    if (this.#busyNs > 0) {
      const cycleNs = this.#busyNs + this.#quietNs;
      const cycles = Math.floor(elapsedNs / cycleNs);
      activeNs = cycles * this.#busyNs + Math.min(elapsedNs - cycles * cycleNs, this.#busyNs);
    }
    let count = Math.floor((activeNs * this.rate) / 1e9) + 1;
    // The division above and the one in dueNs may round to different sides.
    while (count > 0 && this.dueNs(count - 1) > elapsedNs) count--;
    return count;
  }

  /** Of the first `arrivals`, how many belong to this writer and topic-partition. */
  share(arrivals: number, writer: number, topicPartition: number): number {
    const ofWriter = Math.max(0, Math.ceil((arrivals - writer) / this.writers));
    return Math.max(0, Math.ceil((ofWriter - topicPartition) / this.topicPartitions));
  }

  /** The arrival that a value is. */
  arrivalOf(writer: number, topicPartition: number, sequence: number): number {
    return (sequence * this.topicPartitions + topicPartition) * this.writers + writer;
  }
}
