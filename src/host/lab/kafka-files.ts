import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Listener } from '../../core/model/topology.ts';
import { hostPathOf, type Disks } from './disks.ts';
import type { KafkaCache } from './kafka-cache.ts';
import { INSIDE } from './place.ts';
import type { LabNode } from './record.ts';

/** One listener a purpose, so that a fault can meet one kind of traffic alone. */
const LISTENERS = [
  { name: 'CLIENT', port: 9092, purpose: 'client' },
  { name: 'CONTROLLER', port: 9093, purpose: 'controller' },
  { name: 'REPLICATION', port: 9094, purpose: 'replication' },
] as const satisfies Listener[];

export const CLIENT_PORT = 9092;

export const isBroker = (node: Pick<LabNode, 'roles'>): boolean => node.roles.includes('broker');
const isController = (node: Pick<LabNode, 'roles'>): boolean => node.roles.includes('controller');
/** A node with Kafka on it: a broker, a controller, or both in one. */
export const isServer = (node: LabNode): boolean => isBroker(node) || isController(node);

/** The listeners of a node, by what it is. */
export const listenersOf = (node: Pick<LabNode, 'roles'>): Listener[] =>
  LISTENERS.filter(({ purpose }) =>
    purpose === 'controller' ? isController(node) : isBroker(node),
  );

export function bootstrapOf(nodes: readonly LabNode[]): string {
  return nodes
    .filter(isBroker)
    .map((node) => `${node.address}:${CLIENT_PORT}`)
    .join(',');
}

/** server.properties of a broker, a controller or both in one, settled for a small test cluster. */
export function serverProperties(
  node: LabNode,
  nodes: readonly LabNode[],
  disks: Disks,
): Record<string, string> {
  const brokers = nodes.filter(isBroker);
  const copies = String(Math.min(3, brokers.length));
  const inSync = String(Math.min(2, brokers.length));
  const at = (listeners: readonly Listener[]): string =>
    listeners.map((one) => `${one.name}://${node.address}:${one.port}`).join(',');
  const listeners = listenersOf(node);
  const ofBroker = {
    'advertised.listeners': at(listeners.filter(({ purpose }) => purpose !== 'controller')),
    'inter.broker.listener.name': 'REPLICATION',
  };
  return {
    ...(isBroker(node) ? ofBroker : {}),
    'process.roles': node.roles.join(','),
    'node.id': String(node.kafkaId),
    'controller.quorum.voters': nodes
      .filter(isController)
      .map((one) => `${one.kafkaId}@${one.address}:9093`)
      .join(','),
    listeners: at(listeners),
    'listener.security.protocol.map': LISTENERS.map((one) => `${one.name}:PLAINTEXT`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': disks.logDirectories.join(','),
    'metadata.log.dir': disks.metadataDirectory,
    'auto.create.topics.enable': 'false',
    'default.replication.factor': copies,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSync,
    'group.initial.rebalance.delay.ms': '0',
    // Shorter than Kafka's own 30 s and 9 s: what a fault does to the cluster shows within the fault.
    'replica.lag.time.max.ms': '10000',
    'broker.session.timeout.ms': '6000',
    'broker.heartbeat.interval.ms': '1000',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'log.segment.bytes': String(64 * 1024 * 1024),
    'log.cleaner.dedupe.buffer.size': String(8 * 1024 * 1024),
  };
}

/** The command line of the broker, as it runs inside its node. */
export function brokerArgv(cache: KafkaCache): string[] {
  return [
    cache.java,
    '-Xms384m',
    '-Xmx384m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...(cache.archiveInside === '' ? [] : [`-XX:SharedArchiveFile=${cache.archiveInside}`]),
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    `-Dlog4j2.configurationFile=${INSIDE.checkout}/lab/log4j2.properties`,
    '-cp',
    `${INSIDE.kafka}/*`,
    'kafka.Kafka',
    `${INSIDE.node}/etc/server.properties`,
  ];
}

/**
 * Writes what the broker of a node needs: its properties, its command line, and formatted log
 * directories (meta.properties and the first metadata records, as Kafka's StorageTool leaves them).
 */
export function writeKafkaFiles(
  directory: string,
  node: LabNode,
  nodes: readonly LabNode[],
  cache: KafkaCache,
  clusterId: string,
  disks: Disks,
): void {
  const properties = Object.entries(serverProperties(node, nodes, disks));
  writeFileSync(
    join(directory, 'etc', 'server.properties'),
    `${properties.map(([key, value]) => `${key}=${value}`).join('\n')}\n`,
  );
  writeFileSync(join(directory, 'etc', 'broker.argv'), `${brokerArgv(cache).join('\n')}\n`);
  const meta = [`version=1`, `cluster.id=${clusterId}`, `node.id=${node.kafkaId}`];
  for (const path of disks.logDirectories) {
    const data = hostPathOf(directory, path);
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, 'meta.properties'), `${meta.join('\n')}\n`);
    if (path !== disks.metadataDirectory) continue;
    copyFileSync(cache.checkpoint, join(data, 'bootstrap.checkpoint'));
  }
}
