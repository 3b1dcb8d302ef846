import { invalid, valid, type Checked, type Problem } from '../base/problem.ts';
import type { TopicsSpec } from './topics-schema.ts';

/** Of one pattern, and of all topics of a load: more would be a mistake. */
const EXPANDED_MAX = 10_000;
const TOPIC_NAME = /^[a-zA-Z0-9._-]{1,249}$/;

/** A topic of a load, with every default filled in. */
export interface LoadTopic {
  name: string;
  topicPartitions: number[];
  replicationFactor: number;
  /** Replicas by topic-partition, where the spec says so. */
  assignments: Record<string, number[]>;
  configs: Record<string, string>;
}

/** 'a[1-3]' is a1, a2, a3; several ranges are expanded one after the other. */
export function expandName(pattern: string): Checked<string[]> {
  const match = /^(.*?)\[([0-9]{1,9})-([0-9]{1,9})\](.*)$/.exec(pattern);
  if (!match) return valid([pattern]);
  const [first, last] = [Number(match[2]), Number(match[3])];
  if (first > last) {
    const message = `the range of '${pattern}' begins after its end`;
    return invalid({ path: '', message });
  }
  if (last - first >= EXPANDED_MAX) return invalid({ path: '', message: 'too many names' });
  const names: string[] = [];
  for (let number = first; number <= last; number++) {
    const rest = expandName(`${match[1]}${number}${match[4]}`);
    if (!rest.ok) return rest;
    names.push(...rest.value);
    if (names.length > EXPANDED_MAX) return invalid({ path: '', message: 'too many names' });
  }
  return valid(names);
}

function pointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function topicOf(name: string, spec: TopicsSpec[string]): LoadTopic {
  const assigned = Object.keys(spec.partitionAssignments).map(Number);
  const count = spec.numPartitions > 0 ? spec.numPartitions : 1;
  const topicPartitions =
    assigned.length > 0
      ? assigned.sort((a, b) => a - b)
      : Array.from({ length: count }, (_, i) => i);
  return {
    name,
    topicPartitions,
    replicationFactor: spec.replicationFactor > 0 ? spec.replicationFactor : 3,
    assignments: spec.partitionAssignments,
    configs: spec.configs,
  };
}

/** All topics that are meant, by name, each once; the first pattern that names one decides. */
export function loadTopics(spec: TopicsSpec): Checked<LoadTopic[]> {
  const topics = new Map<string, LoadTopic>();
  const problems: Problem[] = [];
  for (const [pattern, partitions] of Object.entries(spec)) {
    const names = expandName(pattern);
    if (!names.ok)
      problems.push({ path: pointer(pattern), message: names.problems[0]?.message ?? '' });
    for (const name of names.ok ? names.value : []) {
      if (!TOPIC_NAME.test(name))
        problems.push({ path: pointer(pattern), message: 'no name of a topic', found: name });
      else if (!topics.has(name)) topics.set(name, topicOf(name, partitions));
    }
    const numbers = Object.keys(partitions.partitionAssignments);
    if (numbers.some((number) => !/^[0-9]{1,5}$/.test(number)))
      problems.push({
        path: `${pointer(pattern)}/partitionAssignments`,
        message: 'not all numbers',
      });
  }
  if (topics.size > EXPANDED_MAX) problems.push({ path: '', message: 'too many topics' });
  return problems.length > 0 ? invalid(...problems) : valid([...topics.values()]);
}

export function checkTopics(spec: TopicsSpec, path: string): Problem[] {
  const topics = loadTopics(spec);
  return topics.ok ? [] : topics.problems.map((one) => ({ ...one, path: path + one.path }));
}

/** What a reader shall read: topics as a whole, or topic-partitions. */
export interface ReadTopics {
  topics: string[];
  topicPartitions: { topic: string; topicPartition: number }[];
}

/** Reads 'orders', 'orders[1-3]', 'orders:0', 'orders[1-3]:[0-4]'. */
export function readTopics(texts: readonly string[]): Checked<ReadTopics> {
  const read: ReadTopics = { topics: [], topicPartitions: [] };
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [index, text] of texts.entries()) {
    const names = expandName(text);
    if (!names.ok) problems.push({ path: `/${index}`, message: names.problems[0]?.message ?? '' });
    for (const name of names.ok ? names.value : []) {
      if (seen.has(name)) continue;
      seen.add(name);
      const [topic = '', number, ...more] = name.split(':');
      const isNumber = number === undefined || /^[0-9]{1,5}$/.test(number);
      if (!TOPIC_NAME.test(topic) || !isNumber || more.length > 0)
        problems.push({ path: `/${index}`, message: "not 'topic' or 'topic:number'", found: name });
      else if (number === undefined) read.topics.push(topic);
      else read.topicPartitions.push({ topic, topicPartition: Number(number) });
    }
  }
  return problems.length > 0 ? invalid(...problems) : valid(read);
}
