import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { birthTicks } from '../boot-clock.ts';
import { Failure } from '../../core/base/failure.ts';
import { labNodes } from '../../core/model/lab-layout.ts';
import {
  AGENT_PORT,
  clusterOf,
  freePort,
  startCoordinator,
  warmAgentCode,
  waitForAgents,
  writeAgentFiles,
} from './daemons.ts';
import { disksOf, writeDiskFiles, type Disks } from './disks.ts';
import { describeLab, type LabDescription } from './describe.ts';
import { takeDown } from './down.ts';
import { waitHealthy } from './health.ts';
import { KAFKA_VERSION, prepareKafka, withoutKafka, type KafkaCache } from './kafka-cache.ts';
import { CLIENT_PORT, isBroker, isServer, writeKafkaFiles } from './kafka-files.ts';
import { lastLines, makeNodeFiles, startNodes, stateOf } from './node-namespace.ts';
import { nodeDirectory, placeOf, type LabPlace } from './place.ts';
import { markedProcesses } from './processes.ts';
import { makerAlive, readRecord, writeRecord, type LabNode, type LabRecord } from './record.ts';
import { askInit } from './requests.ts';
import { subnetAddress, subnetAddress6 } from './subnet.ts';
import { requireSsh, startSsh, writeSshFiles } from './ssh.ts';
import { connectHost, makeSwitch, marked } from './switch-namespace.ts';

export interface LabOptions {
  name: string;
  /** Nodes with a broker; each is a controller, too, where no `controllers` are asked for. */
  brokers: number;
  /** Nodes that are controllers and nothing else; default 0. */
  controllers?: number;
  /** Release of Kafka: KAFKA_VERSION, or another that is fetched; 3.3.0 or later. */
  kafka?: string;
  /** Nodes without Kafka, for clients. */
  clients: number;
  /** Nodes without anything of ours on them: `clients` of them, named n1, n2, ..., and no brokers. */
  bare?: boolean;
  /** An sshd on every node, and ducktape's cluster.json. */
  ssh?: boolean;
  /** Log directories of a broker, see disksOf(); default 1. */
  disks?: number;
  agents: boolean;
  coordinator: boolean;
  /** The checkout: where lab/, faultline and the cache are. */
  root: string;
  /** Progress, one line at a time. */
  say: (line: string) => void;
  /** Aborted: what was made so far is taken down again. */
  signal?: AbortSignal;
}

const MOST_NODES = 100;
const HEALTH_TIMEOUT_MS = 90_000;

function checkOptions(options: LabOptions): void {
  if (process.getuid?.() !== 0) {
    throw new Failure('needs-root', 'a lab is made of namespaces: run this as root (sudo)', {
      definite: true,
    });
  }
  const { brokers, clients, controllers = 0 } = options;
  const whole = [brokers, clients, controllers].every(
    (count) => Number.isInteger(count) && count >= 0,
  );
  const enough = options.bare === true ? clients >= 1 : brokers >= 1;
  if (!whole || !enough || brokers + clients + controllers > MOST_NODES) {
    const others = options.bare === true ? 'bare nodes' : 'clients';
    const asked = `asked for ${brokers} brokers, ${controllers} controllers and ${clients} ${others}`;
    const message = `a lab has 1 to ${MOST_NODES} nodes and at least one broker, or is bare; ${asked}`;
    throw new Failure('bad-size', message, { definite: true });
  }
  if (![0, 1, 2].includes(options.disks ?? 1)) {
    const message = `a broker of a lab has 0, 1 or 2 disks, not ${options.disks}`;
    throw new Failure('bad-size', message, { definite: true });
  }
}

function newRecord(options: LabOptions): LabRecord {
  const maker = { pid: process.pid, birthTicks: birthTicks(process.pid) ?? 0 };
  return {
    format: 1,
    name: options.name,
    maker,
    state: 'making',
    subnet: -1,
    hostAddress: '',
    nodes: [],
    agents: options.agents,
    ssh: options.ssh === true,
    kafka: options.kafka ?? KAFKA_VERSION,
    disks: options.disks ?? 1,
    coordinator: null,
    // Kafka's form of a cluster id: 16 bytes as base64 for URLs.
    clusterId: randomBytes(16).toString('base64url'),
  };
}

function nodesOf(options: LabOptions, subnet: number): LabNode[] {
  return labNodes(options).map(({ name, kafkaId, roles }, index): LabNode => {
    const address = subnetAddress(subnet, 11 + index);
    return {
      name,
      kafkaId,
      roles,
      address,
      address6: subnetAddress6(subnet, 11 + index),
      agent: options.agents ? `http://${address}:${AGENT_PORT}` : null,
    };
  });
}

/** After a reboot or a crash of everything: files of a lab of which nothing runs. */
function isRemnant(place: LabPlace): boolean {
  const record = readRecord(place);
  if (record === undefined || markedProcesses(place.directory).length > 0) return false;
  return record.state === 'up' || !makerAlive(record);
}

async function claimDirectory(place: LabPlace, say: (line: string) => void): Promise<void> {
  mkdirSync(join(place.directory, '..'), { recursive: true, mode: 0o755 });
  if (isRemnant(place)) {
    say(`removing what is left of a dead lab '${place.name}'`);
    await takeDown(place.name);
  }
  try {
    mkdirSync(place.directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const down = `faultline lab down --name ${place.name}`;
    const message = `lab '${place.name}' is there already; '${down}' takes it down`;
    throw new Failure('lab-exists', message, { definite: true, cause: error });
  }
}

function writeNodeFiles(place: LabPlace, record: LabRecord, cache: KafkaCache, disks: Disks): void {
  const names = record.nodes.flatMap((node) => [
    `${node.address} ${node.name}`,
    ...(node.address6 === null ? [] : [`${node.address6} ${node.name}`]),
  ]);
  const hosts = ['127.0.0.1 localhost', '::1 localhost', ...names, ''].join('\n');
  for (const node of record.nodes) {
    const directory = makeNodeFiles(place, node, hosts);
    // A controller's log is not what disk faults are for.
    const itsDisks = isBroker(node) ? disks : disksOf(0);
    if (isServer(node)) {
      writeKafkaFiles(directory, node, record.nodes, cache, record.clusterId, itsDisks);
      writeDiskFiles(directory, itsDisks);
    }
    if (record.agents) writeAgentFiles(place, directory, node);
  }
}

/** Throws when a broker has ended, with the last lines it logged. */
function watchBrokers(place: LabPlace, record: LabRecord, signal?: AbortSignal): void {
  signal?.throwIfAborted();
  for (const node of record.nodes.filter(isServer)) {
    const state = stateOf(place, node.name, 'broker');
    if (!state.startsWith('ended')) continue;
    const log = join(nodeDirectory(place, node.name), 'log');
    const said = lastLines(join(log, 'broker.log')) || lastLines(join(log, 'broker.out'));
    const message = `the broker of ${node.name} ${state}; it last said:\n${said}`;
    throw new Failure('broker-died', message, { definite: false });
  }
}

async function make(place: LabPlace, options: LabOptions, cache: KafkaCache): Promise<LabRecord> {
  const record = newRecord(options);
  writeRecord(place, record);
  await makeSwitch(place);
  await connectHost(place, (subnet) => {
    record.subnet = subnet;
    record.hostAddress = subnetAddress(subnet, 1);
    writeRecord(place, record);
  });
  record.nodes = nodesOf(options, record.subnet);
  const port = options.coordinator ? await freePort() : 0;
  if (options.coordinator) record.coordinator = { url: `http://127.0.0.1:${port}` };
  writeRecord(place, record);
  writeFileSync(place.clusterFile, stringify(clusterOf(record)));
  writeFileSync(place.tokenFile, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  writeNodeFiles(place, record, cache, disksOf(options.disks ?? 1));
  if (options.ssh === true) await writeSshFiles(place, record.nodes);
  options.signal?.throwIfAborted();

  options.say(`starting ${record.nodes.length} nodes on ${subnetAddress(record.subnet, 0)}/24`);
  await startNodes(place, record.nodes, { checkout: options.root, kafka: cache.directory });
  const brokers = record.nodes.filter(isBroker);
  const servers = record.nodes.filter(isServer);
  await Promise.all(servers.map((node) => askInit(place, node.name, 'start', 'broker')));
  if (options.agents) {
    await Promise.all(record.nodes.map((node) => askInit(place, node.name, 'start', 'agent')));
  }
  if (brokers.length > 0) {
    const others = servers.length - brokers.length;
    const controllers = others === 0 ? '' : ` and ${others} controllers`;
    const version = options.kafka ?? KAFKA_VERSION;
    options.say(`starting ${brokers.length} brokers${controllers}, Kafka ${version}`);
    await waitHealthy({
      brokers,
      port: CLIENT_PORT,
      timeoutMs: HEALTH_TIMEOUT_MS,
      watch: () => watchBrokers(place, record, options.signal),
      say: options.say,
    });
  }
  const agentLog = (node: string): string =>
    lastLines(join(nodeDirectory(place, node), 'log', 'agent.out'));
  if (options.ssh === true) await startSsh(place, record.nodes);
  if (options.agents) await waitForAgents(record.nodes, agentLog);
  if (options.coordinator) await startCoordinator(place, options.root, port);
  record.state = 'up';
  writeRecord(place, record);
  return record;
}

/**
 * Brings a lab up: a Kafka cluster of namespaces on this machine. Whatever fails on the way, what
 * was made is taken down again.
 * @throws Failure 'lab-exists', 'needs-root', 'kafka-jars-missing', 'broker-died' and others.
 */
export async function bringUp(options: LabOptions): Promise<LabDescription> {
  checkOptions(options);
  if (options.ssh === true) requireSsh();
  const place = placeOf(options.name);
  const warm = options.agents ? warmAgentCode(options.root) : undefined;
  const cache =
    options.bare === true
      ? withoutKafka(options.root)
      : await prepareKafka(options.root, options.say, marked(place), options.kafka);
  await warm;
  await claimDirectory(place, options.say);
  try {
    return describeLab(place, await make(place, options, cache));
  } catch (error) {
    await takeDown(options.name);
    throw error;
  }
}
