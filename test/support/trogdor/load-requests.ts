/** Specs as clients send them, of the loads that the tests with brokers run. */
export const topic = (numPartitions = 3) => ({ numPartitions, replicationFactor: 1 });

/** @param bootstrap asked for each time: a lab may not be up yet */
export const loadRequests = (bootstrap: () => string) => ({
  produce: (activeTopics: object, more: object = {}) => ({
    class: 'ProduceBenchSpec',
    producerNode: 'n1',
    bootstrapServers: bootstrap(),
    targetMessagesPerSec: 20_000,
    maxMessages: 10_000,
    activeTopics,
    ...more,
  }),
  consume: (activeTopics: string[], more: object = {}) => ({
    class: 'ConsumeBenchSpec',
    consumerNode: 'n1',
    bootstrapServers: bootstrap(),
    activeTopics,
    ...more,
  }),
  roundTrip: (activeTopics: object, more: object = {}) => ({
    class: 'RoundTripWorkloadSpec',
    clientNode: 'n1',
    bootstrapServers: bootstrap(),
    targetMessagesPerSec: 10_000,
    maxMessages: 10_000,
    activeTopics,
    ...more,
  }),
});

/** Nobody listens there. */
const DEAD = '127.0.0.1:9';

/** Every class of load, at a cluster that is dead. */
export function deadLoads(): Record<string, Record<string, unknown>> {
  const { produce, consume, roundTrip } = loadRequests(() => DEAD);
  const dead = { bootstrapServers: DEAD, durationMs: 3_000 };
  return {
    'dead-produce': { ...produce({ a: topic() }), ...dead },
    'dead-consume': { ...consume(['a:0'], { maxMessages: 1 }), ...dead },
    'dead-group': { ...consume(['a'], { maxMessages: 1 }), ...dead },
    'dead-share': {
      ...consume(['a'], { maxMessages: 1 }),
      class: 'ShareConsumeBenchSpec',
      ...dead,
    },
    'dead-share-trip': {
      ...roundTrip({ a: topic() }),
      class: 'ShareRoundTripWorkloadSpec',
      ...dead,
    },
    'dead-configurable': {
      class: 'ConfigurableProducerSpec',
      producerNode: 'n1',
      ...dead,
      throughputGenerator: { type: 'constant' },
      keyGenerator: { type: 'null' },
      valueGenerator: { type: 'constant', size: 9 },
      activeTopic: { a: {} },
    },
    'dead-trip': { ...roundTrip({ a: topic() }), ...dead },
    'dead-connect': {
      class: 'ConnectionStressSpec',
      clientNode: 'n1',
      ...dead,
      targetConnectionsPerSec: 5,
    },
    'dead-sustained': {
      class: 'SustainedConnectionSpec',
      clientNode: 'n1',
      ...dead,
      metadataConnectionCount: 1,
    },
  };
}
