import { existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Failure } from '../../core/base/failure.ts';
import { fnv1a64 } from '../../core/base/hash.ts';
import { exec } from '../exec.ts';
import { INSIDE } from './place.ts';

export const KAFKA_VERSION = '4.1.0';

/** What of Kafka a lab needs on this machine. Brought here by `./run setup`. */
export interface KafkaCache {
  /** The directory of the jars. */
  directory: string;
  java: string;
  /** Kafka's first metadata records (feature levels), the same for every new cluster. */
  checkpoint: string;
  /** A class-data archive that halves the start of a broker, as the nodes see it; '' without. */
  archiveInside: string;
}

/** Paths that a node covers with its own: nothing a broker needs may lie below. */
const COVERED = ['/tmp/', '/run/', '/mnt/', '/var/lib/', '/var/log/'];

export function kafkaDirectory(root: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(env['FAULTLINE_CACHE'] ?? join(root, '.cache'), 'kafka', KAFKA_VERSION);
}

/** @returns the real path of java, by JAVA_HOME or PATH; undefined: there is none. */
export function findJava(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const home = env['JAVA_HOME'];
  const places = (env['PATH'] ?? '').split(delimiter).map((place) => join(place, 'java'));
  if (home !== undefined && home !== '') places.unshift(join(home, 'bin', 'java'));
  const found = places.find((place) => existsSync(place));
  return found === undefined ? undefined : realpathSync(found);
}

export function kafkaJarsPresent(root: string): boolean {
  const directory = kafkaDirectory(root);
  return (
    existsSync(directory) && readdirSync(directory).includes(`kafka_2.13-${KAFKA_VERSION}.jar`)
  );
}

function requireJava(): string {
  const java = findJava();
  if (java === undefined) {
    throw new Failure('java-missing', "no java is on this machine; run './run setup'", {
      definite: true,
    });
  }
  const covered = COVERED.find((path) => java.startsWith(path));
  if (covered !== undefined) {
    throw new Failure(
      'java-covered',
      `java is at ${java}, but a lab's nodes have a ${covered} of their own; set JAVA_HOME to another`,
      { definite: true },
    );
  }
  return java;
}

/** For a lab without brokers: the nodes see the jars where there are any, and need no java. */
export function withoutKafka(root: string): KafkaCache {
  const directory = kafkaDirectory(root);
  mkdirSync(directory, { recursive: true });
  return { directory, java: '', checkpoint: '', archiveInside: '' };
}

/**
 * Checks that java and the jars are here, and makes once what every broker start reuses.
 * @throws Failure 'java-missing', 'java-covered', 'kafka-jars-missing' with the remedy.
 */
export async function prepareKafka(
  root: string,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv,
): Promise<KafkaCache> {
  const directory = kafkaDirectory(root);
  const java = requireJava();
  if (!kafkaJarsPresent(root)) {
    throw new Failure(
      'kafka-jars-missing',
      `Kafka's jars are not in ${directory}; run './run setup'`,
      { definite: true },
    );
  }
  const ours = join(directory, 'lab');
  const checkpoint = join(ours, 'bootstrap.checkpoint');
  const { mtimeMs, size } = statSync(java);
  const archive = `${fnv1a64(`${java} ${mtimeMs} ${size}`).toString(16).padStart(16, '0')}.jsa`;
  mkdirSync(ours, { recursive: true });
  if (!existsSync(checkpoint) || !existsSync(join(ours, archive))) {
    say('preparing Kafka for fast starts (once)');
    const script = join(root, 'lab', 'prepare-kafka.sh');
    const argv = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
    await exec([...argv, script, directory, java, archive], { timeoutMs: 120_000, env });
  }
  const archiveInside = existsSync(join(ours, archive)) ? `${INSIDE.kafka}/lab/${archive}` : '';
  return { directory, java, checkpoint, archiveInside };
}
