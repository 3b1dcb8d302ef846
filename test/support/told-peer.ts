import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestNetwork, TestNode } from './netns.ts';

/** A script in a node's namespace that does what it is told, one JSON command a line, and answers each. */
export class ToldPeer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #nextId = 1;

  /** @param script a file beside this one. */
  constructor(network: TestNetwork, node: TestNode, script: string) {
    const argv = [process.execPath, join(import.meta.dirname, script)];
    this.#child = network.spawn(node, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#child;
    if (!stdout) throw new Error('no pipe');
    createInterface({ input: stdout }).on('line', (line) => {
      const { id, value } = JSON.parse(line) as { id: number; value: unknown };
      this.#waiting.get(id)?.(value);
    });
  }

  /** @returns its answer. */
  protected tell(command: Record<string, unknown>): Promise<unknown> {
    const id = this.#nextId++;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#child.stdin?.write(`${JSON.stringify({ ...command, id })}\n`);
    return answer;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    await ended;
  }
}
