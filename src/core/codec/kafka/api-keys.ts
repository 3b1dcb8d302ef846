/** Kafka's API keys (protocol guide, Api Keys), from 0 on, those of older releases included. */
const NAMES = `
  Produce Fetch ListOffsets Metadata LeaderAndIsr StopReplica UpdateMetadata ControlledShutdown
  OffsetCommit OffsetFetch FindCoordinator JoinGroup Heartbeat LeaveGroup SyncGroup DescribeGroups
  ListGroups SaslHandshake ApiVersions CreateTopics DeleteTopics DeleteRecords InitProducerId
  OffsetForLeaderEpoch AddPartitionsToTxn AddOffsetsToTxn EndTxn WriteTxnMarkers TxnOffsetCommit
  DescribeAcls CreateAcls DeleteAcls DescribeConfigs AlterConfigs AlterReplicaLogDirs
  DescribeLogDirs SaslAuthenticate CreatePartitions CreateDelegationToken RenewDelegationToken
  ExpireDelegationToken DescribeDelegationToken DeleteGroups ElectLeaders IncrementalAlterConfigs
  AlterPartitionReassignments ListPartitionReassignments OffsetDelete DescribeClientQuotas
  AlterClientQuotas DescribeUserScramCredentials AlterUserScramCredentials Vote BeginQuorumEpoch
  EndQuorumEpoch DescribeQuorum AlterPartition UpdateFeatures Envelope FetchSnapshot
  DescribeCluster DescribeProducers BrokerRegistration BrokerHeartbeat UnregisterBroker
  DescribeTransactions ListTransactions AllocateProducerIds ConsumerGroupHeartbeat
  ConsumerGroupDescribe ControllerRegistration GetTelemetrySubscriptions PushTelemetry
  AssignReplicasToDirs ListConfigResources DescribeTopicPartitions ShareGroupHeartbeat
  ShareGroupDescribe ShareFetch ShareAcknowledge AddRaftVoter RemoveRaftVoter UpdateRaftVoter
  InitializeShareGroupState ReadShareGroupState WriteShareGroupState DeleteShareGroupState
  ReadShareGroupStateSummary StreamsGroupHeartbeat StreamsGroupDescribe DescribeShareGroupOffsets
  AlterShareGroupOffsets DeleteShareGroupOffsets
`
  .trim()
  .split(/\s+/);

export const API_NAMES: readonly string[] = NAMES;

/** @returns undefined where no API has this name. */
export function apiKeyOf(name: string): number | undefined {
  const key = NAMES.indexOf(name);
  return key < 0 ? undefined : key;
}
