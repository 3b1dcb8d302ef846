import { spawn, type ChildProcess } from 'node:child_process';
import { findJava, kafkaDirectory } from '../../src/host/lab/kafka-cache.ts';
import { ROOT } from './needs.ts';

export interface JavaEnd {
  code: number | null;
  /** Lines of its standard output. */
  lines: string[];
  /** Its standard error, for a test that fails. */
  errors: string;
}

/** Kafka's own command-line clients, each a process; none of them outlives the test. */
export class JavaClients {
  readonly #children = new Set<ChildProcess>();

  /** @param input lines of its standard input. */
  async run(
    main: string,
    argv: readonly string[],
    input: readonly string[] = [],
  ): Promise<JavaEnd> {
    const all = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', `${kafkaDirectory(ROOT)}/*`];
    const child = spawn(findJava() ?? 'java', [...all, main, ...argv]);
    this.#children.add(child);
    child.stdin.on('error', () => undefined); // It ended: its code says so.
    child.stdin.end(input.map((line) => `${line}\n`).join(''));
    let out = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    child.stderr.on('data', (chunk) => (errors += String(chunk).slice(0, 10_000)));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    this.#children.delete(child);
    return { code, lines: out.split('\n').filter((line) => line !== ''), errors };
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}
