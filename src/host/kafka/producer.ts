import { initProducerIdV4 } from '@platformatic/kafka';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { sendError } from '../../core/workloads/errors.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { ClusterConnections } from './cluster-connections.ts';
import {
  hold,
  newPlace,
  renumber,
  type Held,
  type Leaving,
  type Place,
  type Request,
} from './held-batches.ts';
import { Leaders } from './leaders.ts';
import type { Attempt, BatchSource, ProducerSettings, SendObserver } from './outgoing.ts';
import { attemptOf, failedAttemptOf } from './produce-attempt.ts';
import { produce, type PlacedBatch } from './produce-request.ts';
import { ProducerLinks } from './producer-links.ts';

const PER_BROKER = 5;
const DEPOSED_MS = 1_000;
/** No further batch joins a request of this size: KafkaProducer's max.request.size. */
const REQUEST_BYTES = 1 << 20;

/**
 * A thin producer: a batch in a produce request (one, unless it gathers) is an attempt, and a retry sends the
 * same bytes again (with idempotence: the same sequence, so that the broker can tell). Batches of one
 * topic-partition are sent and sent again in order, at most 5 requests in flight a broker.
 * When a sequence is given up or refused for good, a new producer id is taken: batches that may have
 * been written under the old one are then settled as unknown, never sent under the new.
 */
export class Producer<Tag> {
  readonly places: Place<Tag>[];
  #connections: ClusterConnections;
  #settings: ProducerSettings;
  #source: BatchSource<Tag>;
  #observer: SendObserver<Tag>;
  #leaders: Leaders;
  #links: ProducerLinks;
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;
  #identity: { id: number; epoch: number } | undefined;
  #asking = false;
  #renewBecause: string | undefined;
  /** Errors since the start, by name. */
  readonly errors = new Map<string, number>();

  constructor(
    connections: ClusterConnections,
    places: readonly { topic: string; topicPartition: number }[],
    settings: ProducerSettings,
    source: BatchSource<Tag>,
    observer: SendObserver<Tag>,
  ) {
    this.#connections = connections;
    this.#settings = settings;
    this.#source = source;
    this.#observer = observer;
    this.places = places.map((place) => newPlace<Tag>(place));
    const topics = [...new Set(places.map(({ topic }) => topic))];
    this.#leaders = new Leaders(connections, topics, () => {
      this.#leaveDeposed();
      this.pump();
    });
    this.#links = new ProducerLinks(connections, settings.retryBackoffMs, (error) => {
      // No byte was sent, so no attempt was made: it is counted, and tried again with new metadata.
      this.#count(error instanceof Failure ? error.code : reasonOf(error));
      this.#leaders.refresh();
    });
    if (!settings.idempotence) this.#identity = { id: -1, epoch: -1 };
    const { transaction } = settings;
    if (transaction)
      this.#identity = { id: transaction.producerId, epoch: transaction.producerEpoch };
  }

  start(): void {
    this.#leaders.start();
    this.#timer = setInterval(() => this.pump(), 5);
  }

  /** Batches whose fate is not settled yet. */
  get unsettled(): number {
    return this.places.reduce((sum, place) => sum + place.held.length, 0);
  }

  /** Short words for people: 'sending', 'renewing: ...', 'no producer id: ...'. */
  get state(): string {
    if (this.#renewBecause !== undefined) return `renewing: ${this.#renewBecause}`;
    if (this.#identity === undefined) return 'waiting for a producer id';
    return this.#leaders.error === undefined ? 'sending' : `no metadata: ${this.#leaders.error}`;
  }

  /** Sends what can be sent now. Called every 5 ms and after everything that happens. */
  pump(): void {
    const nowMs = performance.now();
    this.#expire(nowMs);
    if (this.#renewBecause !== undefined) this.#renew();
    if (this.#identity === undefined) {
      this.#askIdentity();
      return;
    }
    const most = this.#settings.gathers === true ? Infinity : 1;
    while (this.#renewBecause === undefined && this.#sendNext(nowMs, most)) continue;
    this.#turn = (this.#turn + 1) % Math.max(1, this.places.length);
  }

  /**
   * Sends each broker that may have one a request.
   * @param most batches in all. @returns whether anything left
   */
  #sendNext(nowMs: number, most: number): boolean {
    const leaving = new Map<BrokerConnection, Request<Tag>>();
    const count = this.places.length;
    let taken = 0;
    for (let step = 0; step < count && taken < most; step++) {
      const index = (this.#turn + step) % count;
      const place = this.places[index] as Place<Tag>;
      const [broker, connection] = this.#wayOf(place, nowMs);
      if (connection === undefined) continue;
      const request = leaving.get(connection) ?? { broker, batches: [], bytes: 0 };
      if (request.bytes >= REQUEST_BYTES) continue;
      const held = place.held.find(({ sending }) => !sending) ?? this.#takeNew(place, index, nowMs);
      if (held === undefined) continue;
      taken++;
      request.batches.push({ place, held });
      request.bytes += held.batch.bytes ?? 0;
      leaving.set(connection, request);
    }
    for (const [connection, { broker, batches }] of leaving)
      void this.#send(batches, broker, connection);
    return taken > 0;
  }

  /** Where a batch of this topic-partition would go now; without a connection: nowhere yet. */
  #wayOf(place: Place<Tag>, nowMs: number): [number, BrokerConnection | undefined] {
    const { broker } = this.#leaders.of(place.topic, place.topicPartition);
    const most = this.#settings.perBroker ?? PER_BROKER;
    const isClosed = nowMs < place.pausedUntilMs || broker < 0;
    if (isClosed || this.#links.inFlight(broker) >= most) return [broker, undefined];
    return [broker, this.#links.to(broker)];
  }

  #takeNew(place: Place<Tag>, index: number, nowMs: number): Held<Tag> | undefined {
    if (place.held.length >= this.#settings.inFlight) return undefined;
    const batch = this.#source.take(index, nowMs);
    if (batch === undefined) return undefined;
    return hold(place, batch, this.#settings.idempotence);
  }

  #count(error: string): void {
    this.errors.set(error, (this.errors.get(error) ?? 0) + 1);
  }

  async #send(
    batches: readonly Leaving<Tag>[],
    broker: number,
    connection: BrokerConnection,
  ): Promise<void> {
    const { acks, requestTimeoutMs, transaction } = this.#settings;
    const sinceMs = performance.now();
    const placed = batches.map(({ place, held }): PlacedBatch => {
      Object.assign(held, { attempts: held.attempts + 1, sending: true, broker, sinceMs });
      const bytes = this.#bytesOf(held);
      return { topic: place.topic, topicPartition: place.topicPartition, bytes };
    });
    this.#links.began(broker);
    const marks = batches.map(({ held: { batch, attempts } }) =>
      this.#observer.begin(batch, attempts, broker),
    );
    const wireAcks = acks === 'all' ? -1 : Number(acks);
    const results = await connection
      .call(produce, wireAcks, requestTimeoutMs, placed, transaction?.id ?? null)
      .then((answer) => batches.map(({ place }) => attemptOf(answer, acks, place)))
      .catch((error: unknown) => batches.map(({ place }) => failedAttemptOf(error, acks, place)));
    this.#links.ended(broker);
    for (const [index, { place, held }] of batches.entries()) {
      held.sending = false;
      const result = results[index] as Attempt;
      this.#observer.end(held.batch, held.attempts, marks[index] as number, result);
      this.#ended(place, held, result);
    }
    this.pump();
  }

  #bytesOf(held: Held<Tag>): Buffer {
    const identity = this.#identity ?? { id: -1, epoch: -1 };
    held.bytes ??= held.batch.encode({
      producerId: identity.id,
      producerEpoch: identity.epoch,
      baseSequence: held.sequence,
    });
    return held.bytes;
  }

  #ended(place: Place<Tag>, held: Held<Tag>, result: Attempt): void {
    if (result.error !== undefined) this.#count(result.error);
    if (result.outcome === 'ok') {
      this.#settle(place, held, 'acknowledged');
      return;
    }
    if (result.outcome === 'info') held.maybe = true;
    const row = sendError(result.error ?? '');
    if (row.refresh === true) this.#leaders.refresh();
    const isFirst = place.held[0] === held;
    // Behind an unsettled batch a gap is natural; at the head it means that the broker lost records.
    if (result.error === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && isFirst) {
      this.#renewBecause = 'out of order at the head';
    } else if (row.renew === true) {
      this.#renewBecause = result.error;
    }
    const nowMs = performance.now();
    const again = row.retry && held.attempts <= this.#settings.retries;
    if (!again || nowMs >= held.batch.deadlineMs) this.#giveUp(place, held);
    else place.pausedUntilMs = nowMs + this.#settings.retryBackoffMs;
  }

  #giveUp(place: Place<Tag>, held: Held<Tag>): void {
    this.#settle(place, held, held.maybe ? 'unknown' : 'failed');
    if (this.#settings.idempotence && held.attempts > 0) {
      this.#renewBecause ??= 'a sequence was given up';
    }
  }

  #settle(place: Place<Tag>, held: Held<Tag>, as: 'acknowledged' | 'failed' | 'unknown'): void {
    place.held.splice(place.held.indexOf(held), 1);
    held.bytes = undefined;
    this.#observer.settled(held.batch, as);
  }

  /** Gives up what waits past its deadline; what is in flight ends by its own timeout. */
  #expire(nowMs: number): void {
    for (const place of this.places) {
      const late = place.held.filter(({ sending, batch }) => !sending && nowMs >= batch.deadlineMs);
      for (const held of late) this.#giveUp(place, held);
    }
  }

  /** Once nothing is in flight: forget the producer id, and what may have been written under it. */
  #renew(): void {
    // Of a transaction the rest is its owner's to end: nothing more is sent.
    if (this.#settings.transaction) return;
    for (const place of this.places) {
      if (place.held.some(({ sending }) => sending)) return;
    }
    this.#observer.note(`new producer id: ${this.#renewBecause}`);
    for (const place of this.places) {
      const uncertain = place.held.filter(({ maybe }) => maybe);
      for (const held of uncertain) this.#settle(place, held, 'unknown');
      renumber(place, this.#settings.idempotence);
    }
    this.#renewBecause = undefined;
    if (this.#settings.idempotence) this.#identity = undefined;
  }

  /**
   * Ends connections whose broker no longer leads what it was sent a second ago and has not answered:
   * it may be stopped. The same sequence at the new leader is safe; without idempotence it would be
   * a duplicate, so then the request's own timeout is waited for.
   */
  #leaveDeposed(): void {
    if (!this.#settings.idempotence) return;
    const nowMs = performance.now();
    for (const place of this.places) {
      const leader = this.#leaders.of(place.topic, place.topicPartition).broker;
      for (const { sending, broker, sinceMs } of place.held) {
        if (!sending || leader < 0 || leader === broker || nowMs - sinceMs < DEPOSED_MS) continue;
        this.#links.leave(broker);
      }
    }
  }

  #askIdentity(): void {
    if (this.#asking) return;
    this.#asking = true;
    this.#connections
      // -1, -1: a fresh producer id (KIP-360).
      .any((connection) => connection.call(initProducerIdV4.api, null, 60_000, -1n, -1))
      .then((answer) => {
        this.#identity = { id: Number(answer.producerId), epoch: answer.producerEpoch };
        this.#asking = false;
        this.pump();
      })
      .catch((error: unknown) => {
        this.#count(error instanceof Failure ? error.code : reasonOf(error));
        setTimeout(() => {
          this.#asking = false;
        }, this.#settings.retryBackoffMs);
      });
  }

  /** Stops at once; attempts in flight end as `connection-lost`. */
  close(): void {
    clearInterval(this.#timer);
    this.#leaders.close();
    this.#connections.close();
  }
}
