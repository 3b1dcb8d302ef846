import type { RequestHead } from '../codec/kafka/frame.ts';
import type { Struct, Value } from '../codec/kafka/value.ts';

/** What a request names, as far as rules ask for it. */
export interface RequestFacts {
  topics: Set<string>;
  /** 'topic-3' */
  topicPartitions: Set<string>;
  /** Topics known by their id alone (KIP-516), with the numbers of their topic-partitions. */
  unnamed: Map<string, number[]>;
  transactionalIds: Set<string>;
  groups: Set<string>;
}

const FIND_COORDINATOR = 10;
const NO_TOPIC = '0'.repeat(32);
const TOPIC_LISTS = ['topics', 'topicData', 'v3AndBelowTopics', 'topicNames'];
const PARTITION_LISTS = ['partitions', 'partitionData', 'partitionIndexes'];

const list = (struct: Struct, names: readonly string[]): Value[] =>
  names.flatMap((name) => {
    const value = struct[name];
    return Array.isArray(value) ? value : [];
  });

const isStruct = (value: Value | undefined): value is Struct =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);

function numbersOf(topic: Struct): number[] {
  return list(topic, PARTITION_LISTS).flatMap((one) => {
    const found = isStruct(one) ? (one['index'] ?? one['partitionIndex'] ?? one['partition']) : one;
    return typeof found === 'number' ? [found] : [];
  });
}

function addTopics(facts: RequestFacts, struct: Struct): void {
  for (const one of list(struct, TOPIC_LISTS)) {
    if (typeof one === 'string') facts.topics.add(one);
    if (!isStruct(one)) continue;
    const numbers = numbersOf(one);
    const name = one['topic'] ?? one['name'];
    const id = one['topicId'];
    if (typeof name === 'string' && name !== '') {
      facts.topics.add(name);
      for (const number of numbers) facts.topicPartitions.add(`${name}-${number}`);
    } else if (typeof id === 'string' && id !== NO_TOPIC) facts.unnamed.set(id, numbers);
  }
}

function addText(to: Set<string>, value: Value | undefined): void {
  if (typeof value === 'string') to.add(value);
}

/** What a decoded request names. */
export function factsOf(head: RequestHead, body: Struct): RequestFacts {
  const facts: RequestFacts = {
    topics: new Set(),
    topicPartitions: new Set(),
    unnamed: new Map(),
    transactionalIds: new Set(),
    groups: new Set(),
  };
  addTopics(facts, body);
  addText(facts.transactionalIds, body['transactionalId']);
  addText(facts.groups, body['groupId']);
  for (const one of list(body, ['transactions'])) {
    if (!isStruct(one)) continue;
    addText(facts.transactionalIds, one['transactionalId']);
    addTopics(facts, one);
  }
  for (const one of list(body, ['groups', 'groupsNames', 'groupIds'])) {
    if (isStruct(one)) {
      addText(facts.groups, one['groupId']);
      addTopics(facts, one);
    } else addText(facts.groups, one);
  }
  if (head.apiKey === FIND_COORDINATOR) {
    // Key type 0 is a group, 1 a transactional id (KIP-98).
    const to = body['keyType'] === 1 ? facts.transactionalIds : facts.groups;
    for (const key of [body['key'], ...list(body, ['coordinatorKeys'])]) addText(to, key);
  }
  return facts;
}

/** Names topics that were known by id. @returns the ids that are still without a name. */
export function nameTopics(facts: RequestFacts, names: ReadonlyMap<string, string>): string[] {
  const unknown: string[] = [];
  for (const [id, numbers] of facts.unnamed) {
    const name = names.get(id);
    if (name === undefined) {
      unknown.push(id);
      continue;
    }
    facts.topics.add(name);
    for (const number of numbers) facts.topicPartitions.add(`${name}-${number}`);
  }
  return unknown;
}
