import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestNetwork, TestNode } from './netns.ts';

/** Somebody in a node's namespace who listens, connects, echoes and floods. */
export class NetPeer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #nextId = 1;

  constructor(network: TestNetwork, node: TestNode) {
    const script = join(import.meta.dirname, 'net-peer.ts');
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    this.#child = network.spawn(node, [process.execPath, script], { stdio: [...stdio] });
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
  udpListen = (port: number): Promise<unknown> => this.#tell({ do: 'udpListen', port });
  udpCount = async (port: number): Promise<number> =>
    Number(await this.#tell({ do: 'udpCount', port }));
  /** 'open', 'refused' or 'silent'; kept for echo() under the name. */
  open = (host: string, port: number, waitMs: number, name?: string): Promise<unknown> =>
    this.#tell({ do: 'open', host, port, waitMs, name });
  /** 'echoed', 'broken' or 'silent'. */
  echo = (name: string, waitMs: number): Promise<unknown> =>
    this.#tell({ do: 'echo', name, waitMs });
  /** Serves DNS: every name has this address. */
  dnsServe = (address: string): Promise<unknown> => this.#tell({ do: 'dnsServe', host: address });
  /** An IPv4 address, 'rcode N', 'silent' or 'broken'. */
  resolve = (server: string, name: string, tcp: boolean): Promise<unknown> =>
    this.#tell({ do: 'resolve', server, host: name, tcp });
  flood = (host: string, port: number): Promise<unknown> => this.#tell({ do: 'flood', host, port });
  endFlood = async (): Promise<number> => Number(await this.#tell({ do: 'endFlood' }));

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin?.end();
    await ended;
  }
}
