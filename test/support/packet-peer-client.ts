import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestNetwork, TestNode } from './netns.ts';
import { until } from './until.ts';

export interface ReceivedPackets {
  numbers: number[];
  tookMs: number[];
  damaged: number;
}

/** Somebody in a node's namespace who sends and receives numbered datagrams. */
export class PacketPeer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #nextId = 1;

  constructor(network: TestNetwork, node: TestNode) {
    const script = join(import.meta.dirname, 'packet-peer.ts');
    this.#child = network.spawn(node, [process.execPath, script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdout } = this.#child;
    if (!stdout) throw new Error('no pipe');
    createInterface({ input: stdout }).on('line', (line) => {
      const { id, value } = JSON.parse(line) as { id: number; value: unknown };
      this.#waiting.get(id)?.(value);
    });
  }

  #tell(command: Record<string, unknown>): Promise<unknown> {
    const id = this.#nextId++;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#child.stdin?.write(`${JSON.stringify({ ...command, id })}\n`);
    return answer;
  }

  listen = (port: number): Promise<unknown> => this.#tell({ do: 'listen', port });

  /** `burst` datagrams a millisecond, or fewer. */
  send(
    host: string,
    port: number,
    count: number,
    options: { size?: number; burst?: number } = {},
  ): Promise<unknown> {
    const { size = 64, burst = 10 } = options;
    return this.#tell({ do: 'send', host, port, count, size, burst });
  }

  /** What came in so far. */
  async take(port: number, clear = false): Promise<ReceivedPackets> {
    return (await this.#tell({ do: 'take', port, clear })) as ReceivedPackets;
  }

  /** What came in, once nothing more has come for a while. */
  async settled(port: number, clear = true): Promise<ReceivedPackets> {
    let [last, same] = [-1, 0];
    await until(
      'no more datagrams come',
      async () => {
        const now = (await this.take(port)).numbers.length;
        same = now === last ? same + 1 : 0;
        last = now;
        return same >= 4;
      },
      { timeoutMs: 60_000, everyMs: 100 },
    );
    return this.take(port, clear);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    await ended;
  }
}
