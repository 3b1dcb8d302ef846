import { invalid, valid, type Checked, type Problem } from '../../base/problem.ts';
import { readTopics } from '../topics-spec.ts';
import type { ConsumeBenchParams } from './consume-bench.ts';

export interface ReaderProtocol {
  /** KIP-848's, or the one before it. */
  protocol: 'classic' | 'consumer';
  /** Of the group coordinator; null: its choice. */
  assignor: string | null;
}

/** ConsumerConfig of Kafka 4.1: what says nothing to a protocol may not be said beside it. */
const NOT_WITH: Readonly<Record<ReaderProtocol['protocol'], readonly string[]>> = {
  classic: ['group.remote.assignor', 'share.acknowledgement.mode'],
  consumer: [
    'heartbeat.interval.ms',
    'partition.assignment.strategy',
    'session.timeout.ms',
    'share.acknowledgement.mode',
  ],
};

const REMEDY: Readonly<Record<ReaderProtocol['protocol'], string>> = {
  classic: 'say group.protocol=consumer, or leave it out',
  consumer: "leave it out (the group's own configuration at the brokers says it)",
};

interface ReaderConfs {
  commonClientConf: Readonly<Record<string, string>>;
  consumerConf: Readonly<Record<string, string>>;
}

/** By which protocol a reader belongs to its group. Words are taken, and refused, as KafkaConsumer does. */
export function readerProtocol(confs: ReaderConfs): Checked<ReaderProtocol> {
  const conf = { ...confs.commonClientConf, ...confs.consumerConf };
  const pathOf = (name: string): string =>
    name in confs.consumerConf ? `/consumerConf/${name}` : `/commonClientConf/${name}`;
  const name = 'group.protocol';
  const found = conf[name] ?? 'classic';
  const protocol = found.toLowerCase();
  if (protocol !== 'classic' && protocol !== 'consumer') {
    const message = 'no protocol of consumer groups';
    return invalid({ path: pathOf(name), message, found, expected: 'classic or consumer' });
  }
  const problems = NOT_WITH[protocol]
    .filter((one) => (conf[one] ?? '').trim() !== '')
    .map((one): Problem => ({
      path: pathOf(one),
      message: `cannot be set when group.protocol=${protocol}: ${REMEDY[protocol]}`,
    }));
  if (problems.length > 0) return invalid(...problems);
  const assignor = conf['group.remote.assignor'] ?? '';
  return valid({ protocol, assignor: assignor === '' ? null : assignor });
}

/**
 * Why these readers cannot begin; undefined: they can. No mistake of the document for Trogdor, which accepts
 * it and has the worker fail: kafkatest waits for that error.
 */
export function readersConflict(params: ConsumeBenchParams): string | undefined {
  const read = readTopics(params.activeTopics);
  const isAssigned = read.ok && read.value.topicPartitions.length > 0;
  if (!isAssigned || params.threadsPerWorker === 1 || params.consumerGroup === '') return undefined;
  const remedy = 'leave out the group, name topics alone, or have one reader';
  return `several readers of one group cannot have an explicit partition assignment: ${remedy}`;
}
