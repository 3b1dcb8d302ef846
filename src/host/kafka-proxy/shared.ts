import type { RequestHead } from '../../core/codec/kafka/frame.ts';
import type { ProxyCounts } from '../../core/model/query-proxy.ts';
import type { RuleSet } from '../../core/proxy/decide.ts';
import { TopicNames } from './topic-names.ts';
import { Room, Waiting } from './waiting.ts';

/** What all connections together may hold back, in bytes. */
export const ROOM = 256 * 1024 * 1024;

/** What all connections of a proxy share. */
export interface ProxyShared {
  rules: RuleSet;
  counts: Omit<ProxyCounts, 'rules'>;
  names: TopicNames;
  waiting: Waiting;
  room: Room;
  /** Alters every response to such a request, whatever the rules say (the plain proxy's addresses). */
  rewrite?: (head: RequestHead) => ((frame: Buffer) => Uint8Array | undefined) | undefined;
}

export function sharedState(rules: RuleSet): ProxyShared {
  return {
    rules,
    counts: { connections: 0, tls: 0, requests: 0, unread: 0 },
    names: new TopicNames(),
    waiting: new Waiting(),
    room: new Room(ROOM),
  };
}
