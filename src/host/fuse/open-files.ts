import { FILE_WORDS, NODE_WORDS, type Memory } from './memory.ts';
import { NODE } from './node-row.ts';

const FILE = { node: 0, next: 1, flags: 2 } as const;

/** The descriptors the kernel got from us, by number: which node each is open on. */
export class OpenFiles {
  readonly #nodes: Int32Array;
  readonly #files: Int32Array;

  constructor(memory: Memory) {
    this.#nodes = memory.nodes;
    this.#files = memory.files;
  }

  hasRoom(descriptor: number): boolean {
    return (descriptor + 1) * FILE_WORDS <= this.#files.length;
  }

  is(node: number, descriptor: number): boolean {
    return this.#files[descriptor * FILE_WORDS + FILE.node] === node && node !== 0;
  }

  flags(descriptor: number): number {
    return this.#files[descriptor * FILE_WORDS + FILE.flags] as number;
  }

  setFlag(descriptor: number, flag: number, on: boolean): void {
    const at = descriptor * FILE_WORDS + FILE.flags;
    if (on) Atomics.or(this.#files, at, flag);
    else Atomics.and(this.#files, at, ~flag);
  }

  /** Under the node table's lock. */
  add(node: number, descriptor: number, flags: number): void {
    const at = descriptor * FILE_WORDS;
    this.#files[at + FILE.node] = node;
    this.#files[at + FILE.flags] = flags;
    this.#files[at + FILE.next] = this.#nodes[node * NODE_WORDS + NODE.open] as number;
    this.#nodes[node * NODE_WORDS + NODE.open] = descriptor + 1;
  }

  /** Under the node table's lock. */
  remove(node: number, descriptor: number): void {
    const head = node * NODE_WORDS + NODE.open;
    const next = this.#files[descriptor * FILE_WORDS + FILE.next] as number;
    this.#files[descriptor * FILE_WORDS + FILE.node] = 0;
    let before = (this.#nodes[head] as number) - 1;
    if (before === descriptor) {
      this.#nodes[head] = next;
      return;
    }
    while (before >= 0 && this.#files[before * FILE_WORDS + FILE.next] !== descriptor + 1) {
      before = (this.#files[before * FILE_WORDS + FILE.next] as number) - 1;
    }
    if (before >= 0) this.#files[before * FILE_WORDS + FILE.next] = next;
  }
}
