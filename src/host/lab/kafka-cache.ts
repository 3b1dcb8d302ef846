import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/base/failure.ts';
import { fnv1a64 } from '../../core/base/hash.ts';
import { exec } from '../exec.ts';
import { tryLock } from '../libc.ts';
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

/** Of a download: a hundred jars. */
const FETCH_TIMEOUT_MS = 600_000;
const LOCK_LOOK_MS = 100;
/** Paths that a node covers with its own: nothing a broker needs may lie below. */
const COVERED = ['/tmp/', '/run/', '/mnt/', '/var/lib/', '/var/log/'];

export function kafkaDirectory(root: string, version = KAFKA_VERSION): string {
  return join(process.env['FAULTLINE_CACHE'] ?? join(root, '.cache'), 'kafka', version);
}

/** @returns the real path of java, by JAVA_HOME or PATH; undefined: there is none. */
export function findJava(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const home = env['JAVA_HOME'];
  const places = (env['PATH'] ?? '').split(delimiter).map((place) => join(place, 'java'));
  if (home !== undefined && home !== '') places.unshift(join(home, 'bin', 'java'));
  const found = places.find((place) => existsSync(place));
  return found === undefined ? undefined : realpathSync(found);
}

export function kafkaJarsPresent(root: string, version = KAFKA_VERSION): boolean {
  return existsSync(join(kafkaDirectory(root, version), `kafka_2.13-${version}.jar`));
}

/** Does something that another lab of this machine may be about to do, too: one after the other. */
async function alone<Result>(
  directory: string,
  say: (line: string) => void,
  act: () => Promise<Result>,
): Promise<Result> {
  mkdirSync(directory, { recursive: true });
  // The lock is on the directory itself, and goes with its holder, however that ends.
  const lock = openSync(directory, 'r');
  try {
    for (let waited = false; !tryLock(lock); waited = true) {
      if (!waited) say('another lab makes Kafka ready: waiting for it');
      await sleep(LOCK_LOOK_MS);
    }
    return await act();
  } finally {
    closeSync(lock);
  }
}

/** Before it a KRaft cluster lacks what the lab asks of it (DescribeQuorum, combined snapshots). */
const FIRST_RELEASE = [3, 3];

/** Fetches the jars of a release other than the usual one, unless they are here. @throws Failure */
export async function bringRelease(
  root: string,
  version: string,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const kept = dirname(kafkaDirectory(root, version));
  await alone(kept, say, async () => {
    if (!kafkaJarsPresent(root, version)) await fetchRelease(root, version, say, env);
  });
}

async function fetchRelease(
  root: string,
  version: string,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [firstMajor = 0, firstMinor = 0] = FIRST_RELEASE;
  const old = major < firstMajor || (major === firstMajor && minor < firstMinor);
  if (!/^[0-9]+\.[0-9]+\.[0-9]+$/.test(version) || old) {
    const message = `a lab runs Kafka 3.3.0 and later in KRaft mode, not '${version}'`;
    throw new Failure('bad-release', message, { definite: true });
  }
  const directory = kafkaDirectory(root, version);
  say(`fetching the jars of Kafka ${version} (once)`);
  const fresh = `${directory}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const pom = join(root, 'lab', 'release-pom.xml');
  const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${fresh}`];
  await exec(['mvn', '-q', '-B', '-f', pom, `-Dkafka.version=${version}`, ...goal], {
    timeoutMs: FETCH_TIMEOUT_MS,
    env,
  });
  rmSync(directory, { recursive: true, force: true });
  renameSync(fresh, directory);
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

async function prepareStarts(
  root: string,
  say: (line: string) => void,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  say('preparing Kafka for fast starts (once)');
  const script = join(root, 'lab', 'prepare-kafka.sh');
  const enter = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  await exec([...enter, script, ...argv], { timeoutMs: 120_000, env });
}

/**
 * Checks that java and the jars are here, and makes once what every broker start reuses.
 * @throws Failure 'java-missing', 'java-covered', 'kafka-jars-missing', 'bad-release' with the remedy.
 */
export async function prepareKafka(
  root: string,
  say: (line: string) => void,
  env: NodeJS.ProcessEnv,
  version = KAFKA_VERSION,
): Promise<KafkaCache> {
  const directory = kafkaDirectory(root, version);
  const java = requireJava();
  const present = kafkaJarsPresent(root, version);
  if (!present && version !== KAFKA_VERSION) await bringRelease(root, version, say, env);
  else if (!present) {
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
  const isReady = (): boolean => existsSync(checkpoint) && existsSync(join(ours, archive));
  if (!isReady()) {
    await alone(ours, say, async () => {
      if (!isReady()) await prepareStarts(root, say, [directory, java, archive], env);
    });
  }
  const archiveInside = existsSync(join(ours, archive)) ? `${INSIDE.kafka}/lab/${archive}` : '';
  return { directory, java, checkpoint, archiveInside };
}
