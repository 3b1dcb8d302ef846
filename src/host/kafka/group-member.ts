import { heartbeatV4, joinGroupV7, leaveGroupV5, syncGroupV5 } from '@platformatic/kafka';
import { Failure } from '../../core/base/failure.ts';
import { AnswerError, type BrokerConnection } from './broker-connection.ts';
import type { ClusterConnections } from './cluster-connections.ts';
import { commitOffsets, committedOffsets } from './group-offsets.ts';
import {
  assignRanges,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type GroupPlace,
} from './group-protocol.ts';
import { pause } from './pause.ts';
import { findCoordinator } from './transaction.ts';

const GROUP_KEY = 0;
const BACKOFF_MS = 200;

export interface GroupSettings {
  group: string;
  topics: readonly string[];
  sessionMs: number;
  /** How long the others may take to come to a new generation: less than a request may take. */
  rebalanceMs: number;
  heartbeatMs: number;
  /** 0: never while it reads. */
  commitMs: number;
}

export interface GroupPositions extends GroupPlace {
  position: number;
}

/** Who reads what a member is given. */
export interface GroupReader {
  /** @param places with what the group has committed; -1: nothing. */
  assigned(places: GroupPositions[]): Promise<void>;
  /** How far it has come. */
  positions(): GroupPositions[];
  /** No record more after this. @returns how far it came. */
  revoked(): Promise<GroupPositions[]>;
}

interface Generation {
  coordinator: BrokerConnection;
  generation: number;
  memberId: string;
}

/**
 * A member of a consumer group by the classic protocol (JoinGroup, SyncGroup, Heartbeat): joins, reads
 * what it is given, commits, and joins again whenever the group changes or its coordinator is lost.
 */
export class GroupMember {
  readonly #connections: ClusterConnections;
  readonly #settings: GroupSettings;
  readonly #reader: GroupReader;
  #memberId = '';
  /** Errors since the start, by name. */
  readonly errors = new Map<string, number>();

  constructor(connections: ClusterConnections, settings: GroupSettings, reader: GroupReader) {
    this.#connections = connections;
    this.#settings = settings;
    this.#reader = reader;
  }

  /** Until the end; then it leaves. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const here = await this.#join();
        await this.#stay(here, signal);
        if (signal.aborted) await this.#leave(here);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.errors.set(error.code, (this.errors.get(error.code) ?? 0) + 1);
        // Forgotten by the coordinator: with a new id it may come again.
        if (error.code === 'UNKNOWN_MEMBER_ID' || error.code === 'FENCED_INSTANCE_ID')
          this.#memberId = '';
        await pause(BACKOFF_MS, signal);
      }
    }
  }

  async #join(): Promise<Generation> {
    const { group, topics } = this.#settings;
    const coordinator = await findCoordinator(this.#connections, GROUP_KEY, group);
    const joined = await this.#ask(coordinator);
    const { generationId: generation, leader, memberId } = joined;
    this.#memberId = memberId;
    const assignments =
      leader === memberId
        ? await this.#assign(
            joined.members.map((member) => ({
              memberId: member.memberId,
              topics: decodeSubscription(member.metadata),
            })),
          )
        : [];
    const names = [joined.protocolType ?? 'consumer', joined.protocolName ?? 'range'] as const;
    const synced = await coordinator.call(
      syncGroupV5.api,
      group,
      generation,
      memberId,
      null,
      ...names,
      assignments,
    );
    const places = decodeAssignment(synced.assignment).filter(({ topic }) =>
      topics.includes(topic),
    );
    const committed = places.length > 0 ? await committedOffsets(coordinator, group, places) : [];
    await this.#reader.assigned(committed);
    return { coordinator, generation, memberId };
  }

  async #ask(coordinator: BrokerConnection) {
    const { group, sessionMs, rebalanceMs, topics } = this.#settings;
    const protocols = [{ name: 'range', metadata: encodeSubscription(topics) }];
    const join = () =>
      coordinator.call(
        joinGroupV7.api,
        group,
        sessionMs,
        rebalanceMs,
        this.#memberId,
        null,
        'consumer',
        protocols,
        null,
      );
    try {
      return await join();
    } catch (error) {
      // A new member is given its id first (KIP-394).
      if (!(error instanceof AnswerError) || error.code !== 'MEMBER_ID_REQUIRED') throw error;
      this.#memberId = (error.response as { memberId: string }).memberId;
      return join();
    }
  }

  /** The leader's work. */
  async #assign(members: { memberId: string; topics: string[] }[]) {
    const wanted = [...new Set(members.flatMap(({ topics }) => topics))];
    const { topics } = await this.#connections.metadata(wanted);
    const counts = new Map(
      topics.flatMap(({ name, partitions }) =>
        name === null || partitions.length === 0 ? [] : [[name, partitions.length] as const],
      ),
    );
    return [...assignRanges(members, counts)].map(([memberId, places]) => ({
      memberId,
      assignment: encodeAssignment(places),
    }));
  }

  /** Heartbeats and commits until the group changes or the end. What was assigned is given back. */
  async #stay({ coordinator, generation, memberId }: Generation, signal: AbortSignal) {
    const { group, heartbeatMs, commitMs } = this.#settings;
    const of = { generation, memberId };
    let committedMs = performance.now();
    let goesOn = true;
    try {
      while (goesOn && !signal.aborted) {
        await pause(heartbeatMs, signal);
        if (signal.aborted) break;
        goesOn = await beat(coordinator, group, of);
        const isDue = commitMs > 0 && performance.now() - committedMs >= commitMs;
        if (!goesOn || !isDue) continue;
        committedMs = performance.now();
        await commitOffsets(coordinator, group, of, this.#reader.positions());
      }
    } finally {
      const positions = await this.#reader.revoked();
      if (commitMs > 0 && coordinator.usable)
        await commitOffsets(coordinator, group, of, positions).catch((error: unknown) => {
          // The others read these again: at least once is what a group promises.
          if (!(error instanceof Failure)) throw error;
          this.errors.set(error.code, (this.errors.get(error.code) ?? 0) + 1);
        });
    }
  }

  async #leave({ coordinator, memberId }: Generation): Promise<void> {
    await coordinator.call(leaveGroupV5.api, this.#settings.group, [
      { memberId, groupInstanceId: null, reason: null },
    ]);
  }
}

/** @returns false: the group is coming to a new generation. @throws Failure. */
async function beat(
  coordinator: BrokerConnection,
  group: string,
  { generation, memberId }: { generation: number; memberId: string },
): Promise<boolean> {
  try {
    await coordinator.call(heartbeatV4.api, group, generation, memberId, null);
    return true;
  } catch (error) {
    if (error instanceof AnswerError && error.code === 'REBALANCE_IN_PROGRESS') return false;
    throw error;
  }
}
