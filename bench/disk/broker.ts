import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findJava, kafkaDirectory } from '../../src/host/lab/kafka-cache.ts';
import { ROOT } from '../../test/support/needs.ts';
import { until } from '../../test/support/until.ts';
import { cpuUs } from './cpu.ts';
import type { Row } from './rows.ts';
import type { Subject } from './subjects.ts';

const run = promisify(execFile);
const RECORDS = 150_000;
const RECORD_BYTES = 1000;
const FIRST_PORT = 29_100;

/** A broker whose log directory is the subject's, on loopback. */
export class Broker {
  readonly #subject: Subject;
  readonly #directory = mkdtempSync('/tmp/faultline-bench-broker-');
  readonly #java = findJava() ?? 'java';
  readonly #jars = kafkaDirectory(ROOT);
  readonly #port: number;
  #process: ChildProcess | undefined;
  #topics = 0;

  private constructor(subject: Subject, index: number) {
    this.#subject = subject;
    this.#port = FIRST_PORT + index * 2;
  }

  /** @returns undefined where there is no Kafka on this machine. */
  static async start(subject: Subject, index: number): Promise<Broker | undefined> {
    const broker = new Broker(subject, index);
    if (!existsSync(join(broker.#jars, 'lab', 'bootstrap.checkpoint'))) return undefined;
    try {
      await broker.#start();
    } catch (error) {
      await broker.stop();
      throw error;
    }
    return broker;
  }

  async #start(): Promise<void> {
    const data = join(this.#subject.path, 'kafka');
    mkdirSync(data);
    const meta = 'version=1\ncluster.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode.id=1\n';
    writeFileSync(join(data, 'meta.properties'), meta);
    const checkpoint = join(this.#jars, 'lab', 'bootstrap.checkpoint');
    copyFileSync(checkpoint, join(data, 'bootstrap.checkpoint'));
    const [client, controller] = [this.#port, this.#port + 1];
    const properties = {
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: `CLIENT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}`,
      'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'CLIENT',
      'controller.listener.names': 'CONTROLLER',
      'log.dirs': data,
      'offsets.topic.replication.factor': 1,
      'offsets.topic.num.partitions': 1,
      'group.initial.rebalance.delay.ms': 0,
      'num.partitions': 4,
      // On memory: what was measured two minutes ago goes.
      'log.retention.ms': 120_000,
      'log.retention.check.interval.ms': 10_000,
      'file.delete.delay.ms': 1000,
      // One that slept is not fenced when it wakes.
      'broker.session.timeout.ms': 600_000,
    };
    const text = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(join(this.#directory, 'server.properties'), text.join(''));
    const options = ['-Xms512m', '-Xmx512m', '-XX:+UseSerialGC', '-cp', `${this.#jars}/*`];
    const argv = [...options, 'kafka.Kafka', join(this.#directory, 'server.properties')];
    this.#process = spawn(this.#java, argv, { cwd: this.#directory, stdio: 'ignore' });
    const hex = this.#port.toString(16).toUpperCase().padStart(4, '0');
    await until(
      'the broker listens',
      () => {
        if (this.#process?.exitCode !== null) throw new Error('the broker has ended');
        return new RegExp(`:${hex} [0-9A-F]+:0000 0A`).test(readTcp());
      },
      { timeoutMs: 180_000, everyMs: 200 },
    );
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  #tool(main: string, ...argv: string[]): Promise<{ stdout: string }> {
    const options = ['-Xmx256m', '-XX:+UseSerialGC', '-cp', `${this.#jars}/*`];
    return run(this.#java, [...options, main, ...argv], { cwd: this.#directory });
  }

  /** Produces and consumes once; CPU a record is the broker's and the server's together. */
  async measure(): Promise<Row> {
    const row: Row = {};
    const topic = `t${this.#topics++}`;
    const servers = `bootstrap.servers=127.0.0.1:${this.#port}`;
    const cpu = (): number[] => [cpuUs(this.#process?.pid ?? 0), cpuUs(this.#subject.pid)];
    const note = (what: string, before: readonly number[]): void => {
      const after = cpu();
      for (const [index, who] of ['broker', 'server'].entries()) {
        row[`${what}: ${who} CPU us/record`] =
          ((after[index] ?? 0) - (before[index] ?? 0)) / RECORDS;
      }
    };
    const beforeProduce = cpu();
    const sizes = ['--num-records', String(RECORDS), '--record-size', String(RECORD_BYTES)];
    const produced = await this.#tool(
      'org.apache.kafka.tools.ProducerPerformance',
      '--topic',
      topic,
      ...sizes,
      '--throughput',
      '-1',
      '--producer-props',
      servers,
      'acks=1',
    );
    const rate = /\(([\d.,]+) MB\/sec\)/.exec(produced.stdout.split('\n').at(-2) ?? '')?.[1];
    row['produce MB/s'] = Number(rate?.replace(',', '.'));
    note('produce', beforeProduce);
    const beforeConsume = cpu();
    const consumed = await this.#tool(
      'org.apache.kafka.tools.ConsumerPerformance',
      '--bootstrap-server',
      `127.0.0.1:${this.#port}`,
      '--topic',
      topic,
      '--messages',
      String(RECORDS),
      '--timeout',
      '30000',
    );
    // start, end, MB, MB/s, messages, messages/s, rebalance ms, fetch ms, fetch MB/s, ...
    const fields = (consumed.stdout.trim().split('\n').at(-1) ?? '').split(', ');
    row['consume MB/s'] = Number(fields[8]);
    note('consume', beforeConsume);
    return row;
  }

  async stop(): Promise<void> {
    this.#process?.kill('SIGKILL');
    const ended = (): boolean =>
      this.#process?.exitCode !== null || this.#process.signalCode !== null;
    await until('the broker ends', ended);
    rmSync(this.#directory, { recursive: true });
  }
}

function readTcp(): string {
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'latin1'))
    .join('');
}
