/** 2100-01-01: such a task stays PENDING. */
export const FAR = 4_102_444_800_000;

export type Fields = Record<string, unknown>;

const load = (name: string, fields: Fields): Fields => ({
  class: `org.apache.kafka.trogdor.workload.${name}`,
  startMs: FAR,
  durationMs: 1000,
  ...fields,
});
const kafka = { bootstrapServers: 'kafka:9092', commonClientConf: { 'client.id': 'c' } };

/** Pending tasks of every class that is a load: how a spec reads when it comes back. */
export const LOAD_SPECS: Record<string, Fields> = {
  'spec-produce': load('ProduceBenchSpec', {
    ...kafka,
    producerNode: 'n1',
    maxMessages: 5,
    activeTopics: { 'a[1-3]': {}, b: { numPartitions: 2, configs: { x: 'y' } } },
  }),
  'spec-produce-all': load('ProduceBenchSpec', {
    ...kafka,
    producerNode: 'n1',
    targetMessagesPerSec: '7',
    keyGenerator: { type: 'sequential', size: 4, startOffset: 3 },
    valueGenerator: {
      type: 'randomComponent',
      seed: 1,
      components: [{ percent: 100, component: { type: 'uniformRandom', size: 9, padding: 2 } }],
    },
    transactionGenerator: { type: 'uniform', messagesPerTransaction: 3 },
    producerConf: { acks: 1 },
    activeTopics: { b: { partitionAssignments: { '0': [1, 2] } } },
    inactiveTopics: { c: { replicationFactor: 1 } },
    useConfiguredPartitioner: true,
    skipFlush: true,
  }),
  'spec-configurable': load('ConfigurableProducerSpec', {
    ...kafka,
    producerNode: 'n2',
    flushGenerator: {
      type: 'gaussian',
      messagesPerFlushAverage: 9,
      messagesPerFlushDeviation: 1.5,
    },
    throughputGenerator: {
      type: 'gaussian',
      messagesPerWindowAverage: 50,
      messagesPerWindowDeviation: 2.5,
      windowsUntilRateChange: 4,
    },
    keyGenerator: { type: 'null' },
    valueGenerator: {
      type: 'gaussianTimestampRandom',
      messageSizeAverage: 50,
      messageSizeDeviation: 1.5,
      messagesUntilSizeChange: 9,
    },
    activeTopic: { a: {} },
  }),
  'spec-consume': load('ConsumeBenchSpec', {
    ...kafka,
    consumerNode: 'n1',
    maxMessages: 4,
    activeTopics: ['a[1-2]:[0-1]', 'b'],
    recordProcessor: { type: 'timestamp', histogramMaxMs: 100, histogramStepMs: 2 },
  }),
  'spec-round-trip': load('RoundTripWorkloadSpec', {
    ...kafka,
    clientNode: 'n1',
    targetMessagesPerSec: 10,
    maxMessages: 5,
    activeTopics: { a: {} },
  }),
  'spec-connections': load('ConnectionStressSpec', { ...kafka, clientNode: 'n1' }),
  'spec-connections-many': load('ConnectionStressSpec', {
    ...kafka,
    clientNode: ['n1', 'n2'],
    targetConnectionsPerSec: 5,
    numThreads: 3,
    action: 'FETCH_METADATA',
  }),
  'spec-sustained': load('SustainedConnectionSpec', {
    ...kafka,
    clientNode: 'n1',
    metadataConnectionCount: 2,
    refreshRateMs: 9,
  }),
  'spec-command': load('ExternalCommandSpec', {
    commandNode: 'n1',
    command: 'true',
    workload: { a: null, b: [], c: {} },
  }),
  'spec-command-bare': load('ExternalCommandSpec', {
    commandNode: 'n1',
    command: ['true', ''],
    shutdownGracePeriodMs: 7,
  }),
};
