import type { ReaderProtocol } from '../../../core/workloads/bench/reader-protocol.ts';
import type { ClusterConnections } from '../../kafka/cluster-connections.ts';
import { ConsumerMember } from '../../kafka/consumer-member.ts';
import { GroupMember, type GroupReader } from '../../kafka/group-member.ts';
import type { ClientConf } from './client-conf.ts';

/** KafkaConsumer's default is 300 s; Trogdor's readers say 100. */
const POLL_INTERVAL_MS = 100_000;

/** A member of a group by the protocol that its properties ask for. */
export function memberOf(
  conf: ClientConf,
  { protocol, assignor }: ReaderProtocol,
  connections: ClusterConnections,
  of: { group: string; topics: readonly string[] },
  reader: GroupReader,
): GroupMember | ConsumerMember {
  const isCommitting = conf.text('enable.auto.commit', 'true') === 'true';
  const commitMs = isCommitting ? conf.whole('auto.commit.interval.ms', 5_000) : 0;
  if (protocol === 'consumer') {
    const rebalanceMs = conf.whole('max.poll.interval.ms', POLL_INTERVAL_MS);
    return new ConsumerMember(connections, { ...of, assignor, rebalanceMs, commitMs }, reader);
  }
  const settings = {
    ...of,
    sessionMs: conf.whole('session.timeout.ms', 45_000),
    rebalanceMs: Math.floor(conf.whole('request.timeout.ms', 30_000) * 0.8),
    heartbeatMs: conf.whole('heartbeat.interval.ms', 3_000),
    commitMs,
  };
  return new GroupMember(connections, settings, reader);
}
