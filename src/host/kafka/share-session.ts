import { Failure } from '../../core/base/failure.ts';
import { AnswerError, type BrokerConnection } from './broker-connection.ts';
import { decodeBatches } from './record-batch.ts';
import {
  ACCEPT,
  RELEASE,
  shareAcknowledge,
  shareFetch,
  type Acknowledged,
  type ShareFetched,
  type ShareFetchLimits,
  type SharePlace,
} from './share-requests.ts';

export interface ShareRecord extends SharePlace {
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
}

export interface ShareSessionSettings extends ShareFetchLimits {
  group: string;
  memberId: string;
}

const LAST_EPOCH = -1;
const LOST = new Set(['SHARE_SESSION_NOT_FOUND', 'INVALID_SHARE_SESSION_EPOCH']);

/**
 * A member's session with one broker: records are acquired by a fetch, and what became of them is told
 * with the next one.
 */
export class ShareSession {
  readonly places: readonly SharePlace[];
  readonly #connection: BrokerConnection;
  readonly #settings: ShareSessionSettings;
  readonly #pending = new Map<SharePlace, Acknowledged[]>();
  #epoch = 0;

  constructor(
    connection: BrokerConnection,
    places: readonly SharePlace[],
    settings: ShareSessionSettings,
  ) {
    this.#connection = connection;
    this.places = places;
    this.#settings = settings;
  }

  /**
   * @param take told every record that is ours. @returns false: this one is given back for others.
   * @returns how many were ours. @throws Failure; of a topic-partition by the name of its error.
   */
  async fetch(take: (record: ShareRecord) => boolean): Promise<number> {
    const { group, memberId } = this.#settings;
    const asked = this.#asked(this.#epoch === 0);
    this.#pending.clear();
    try {
      const answer = await this.#connection.call(
        shareFetch,
        group,
        memberId,
        this.#epoch,
        this.#settings,
        asked,
      );
      this.#epoch = this.#epoch === 0x7fffffff ? 1 : this.#epoch + 1;
      return answer.reduce((sum, place) => sum + this.#receive(place, take), 0);
    } catch (error) {
      // What was acquired in the session that is lost comes again, to whomever.
      if (error instanceof AnswerError && LOST.has(error.code)) this.#epoch = 0;
      throw error;
    }
  }

  /** At the beginning all places; later those of which there is something to tell. */
  #asked(all: boolean) {
    return this.places
      .map((place) => ({ ...place, acknowledged: this.#pending.get(place) ?? [] }))
      .filter(({ acknowledged }) => all || acknowledged.length > 0);
  }

  #receive(fetched: ShareFetched, take: (record: ShareRecord) => boolean): number {
    const { topicId, topicPartition, errorCode, acquired } = fetched;
    const place = this.places.find(
      (one) => one.topicId === topicId && one.topicPartition === topicPartition,
    );
    if (!place || errorCode !== 0) return 0;
    const told: Acknowledged[] = acquired.map(({ first, last }) => ({ first, last, type: ACCEPT }));
    let count = 0;
    for (const batch of decodeBatches(fetched.records))
      for (const record of batch.control ? [] : batch.records) {
        if (!acquired.some(({ first, last }) => record.offset >= first && record.offset <= last))
          continue;
        count++;
        if (!take({ topicId, topicPartition, ...record })) release(told, record.offset);
      }
    if (told.length > 0) this.#pending.set(place, told);
    return count;
  }

  /** Tells what became of the last records, and ends the session. */
  async close(): Promise<void> {
    if (this.#epoch === 0 || !this.#connection.usable) return;
    const { group, memberId } = this.#settings;
    try {
      const asked = this.#asked(false);
      await this.#connection.call(shareAcknowledge, group, memberId, LAST_EPOCH, asked);
    } catch (error) {
      // Then they are given to others when their time is up.
      if (!(error instanceof Failure)) throw error;
    }
  }
}

/** Takes one offset out of what is accepted: that, and what follows it, is given back. */
function release(told: Acknowledged[], offset: number): void {
  const index = told.findIndex(({ first, last }) => offset >= first && offset <= last);
  const range = told[index];
  if (!range || range.type === RELEASE) return;
  const rest: Acknowledged = { first: offset, last: range.last, type: RELEASE };
  if (offset === range.first) told[index] = rest;
  else told.splice(index, 1, { ...range, last: offset - 1 }, rest);
}
