import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** One throwaway machine-like network: an address of each family on a bridge of its own. */
export interface TestNode {
  name: string;
  namespace: string;
  address: string;
  address6: string;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/**
 * `count` network namespaces joined by a bridge that lives in a namespace of its own, so that the
 * host's bridges and rules are never touched. Close it in a finally: it removes all it made.
 */
export class TestNetwork {
  readonly nodes: TestNode[] = [];
  readonly #switch: string;

  /** @param prefix of the namespaces' names, unique in this process; its pid comes after it. */
  constructor(prefix: string, count: number, subnet = 1) {
    const own = `${prefix}${process.pid}`;
    this.#switch = `${own}-sw`;
    try {
      ip('netns', 'add', this.#switch);
      ip('-n', this.#switch, 'link', 'add', 'br0', 'type', 'bridge');
      ip('-n', this.#switch, 'link', 'set', 'br0', 'up');
      for (let index = 1; index <= count; index++) this.#addNode(own, subnet, index);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #addNode(own: string, subnet: number, index: number): void {
    const namespace = `${own}-${index}`;
    const node = {
      name: `n${index}`,
      namespace,
      address: `198.19.${subnet}.${index}`,
      address6: `fd00:198:19:${subnet}::${index}`,
    };
    ip('netns', 'add', namespace);
    this.nodes.push(node);
    ip(
      '-n',
      this.#switch,
      'link',
      'add',
      `p${index}`,
      'type',
      'veth',
      'peer',
      'eth0',
      'netns',
      namespace,
    );
    ip('-n', this.#switch, 'link', 'set', `p${index}`, 'master', 'br0', 'up');
    ip('-n', namespace, 'addr', 'add', `${node.address}/24`, 'dev', 'eth0');
    // No duplicate address detection: the address is ours alone, and tests need it at once.
    ip('-n', namespace, 'addr', 'add', `${node.address6}/64`, 'dev', 'eth0', 'nodad');
    ip('-n', namespace, 'link', 'set', 'lo', 'up');
    ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  }

  /** Starts a program in a node's network namespace. */
  spawn(node: TestNode, argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn('ip', ['netns', 'exec', node.namespace, ...argv], options);
  }

  /** Runs a program in a node's network namespace and returns what it printed. */
  run(node: TestNode, argv: readonly string[]): string {
    return execFileSync('ip', ['netns', 'exec', node.namespace, ...argv], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  close(): void {
    for (const namespace of [...this.nodes.map((node) => node.namespace), this.#switch]) {
      try {
        ip('netns', 'del', namespace);
      } catch {
        // It was never made, or is gone: either is what closing wants.
      }
    }
  }
}
