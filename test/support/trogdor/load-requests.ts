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
