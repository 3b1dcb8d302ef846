import { spawn, type ChildProcess } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { TestNode } from '../../test/support/netns.ts';

/**
 * When the kernel says a drop rule came or went, node by node: `nft monitor` in each namespace, the
 * same measure for both rivals (iptables writes nftables rules too).
 */
export class RuleWatch {
  readonly #monitors: ChildProcess[] = [];
  /** Instants of the drop rules each node got and lost, ms of this process's clock. */
  readonly added = new Map<string, number[]>();
  readonly removed = new Map<string, number[]>();

  constructor(nodes: readonly TestNode[]) {
    for (const node of nodes) {
      this.added.set(node.name, []);
      this.removed.set(node.name, []);
      const argv = ['netns', 'exec', node.namespace, 'nft', 'monitor', 'rules'];
      const monitor = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'ignore'] });
      createInterface({ input: monitor.stdout }).on('line', (line) => this.#read(node.name, line));
      this.#monitors.push(monitor);
    }
  }

  #read(node: string, line: string): void {
    const now = performance.now();
    if (/^add rule .*drop/.test(line)) this.added.get(node)?.push(now);
    if (line.startsWith('delete rule')) this.removed.get(node)?.push(now);
  }

  forget(): void {
    for (const node of this.added.keys()) {
      this.added.set(node, []);
      this.removed.set(node, []);
    }
  }

  /** The last rule of each node that has any. */
  static last(instants: ReadonlyMap<string, number[]>): number[] {
    return [...instants.values()].flatMap((list) => (list.length > 0 ? [Math.max(...list)] : []));
  }

  close(): void {
    for (const monitor of this.#monitors) monitor.kill('SIGKILL');
  }
}
