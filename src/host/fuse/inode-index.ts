import { NODE_WORDS, type Memory } from './memory.ts';
import { NODE } from './node-row.ts';

/** Finds a node by the device and number of its inode. Its users hold the node table's lock. */
export class InodeIndex {
  readonly #nodes: Int32Array;
  readonly #heads: Int32Array;
  readonly #mask: number;

  constructor(memory: Memory) {
    this.#nodes = memory.nodes;
    this.#heads = memory.hash;
    this.#mask = memory.hash.length - 1;
  }

  #bucket(device: number, inoLow: number, inoHigh: number): number {
    let hash = Math.imul(inoLow ^ Math.imul(inoHigh, 0x85ebca6b) ^ device, 0x9e3779b1);
    hash ^= hash >>> 15;
    return hash & this.#mask;
  }

  /** @param type 0 for any. @returns the node, or 0. */
  find(device: number, inoLow: number, inoHigh: number, type: number): number {
    let node = this.#heads[this.#bucket(device, inoLow, inoHigh)] as number;
    while (node !== 0) {
      const at = node * NODE_WORDS;
      const same =
        this.#nodes[at + NODE.inoLow] === inoLow &&
        this.#nodes[at + NODE.inoHigh] === inoHigh &&
        this.#nodes[at + NODE.device] === device &&
        (type === 0 || this.#nodes[at + NODE.type] === type);
      if (same) return node;
      node = this.#nodes[at + NODE.next] as number;
    }
    return 0;
  }

  #bucketOf(node: number): number {
    const at = node * NODE_WORDS;
    return this.#bucket(
      this.#nodes[at + NODE.device] as number,
      this.#nodes[at + NODE.inoLow] as number,
      this.#nodes[at + NODE.inoHigh] as number,
    );
  }

  /** Takes up a node whose row holds its inode. */
  add(node: number): void {
    const bucket = this.#bucketOf(node);
    this.#nodes[node * NODE_WORDS + NODE.next] = this.#heads[bucket] as number;
    this.#heads[bucket] = node;
  }

  remove(node: number): void {
    const bucket = this.#bucketOf(node);
    const next = this.#nodes[node * NODE_WORDS + NODE.next] as number;
    let here = this.#heads[bucket] as number;
    if (here === node) {
      this.#heads[bucket] = next;
      return;
    }
    while (here !== 0) {
      const after = this.#nodes[here * NODE_WORDS + NODE.next] as number;
      if (after === node) {
        this.#nodes[here * NODE_WORDS + NODE.next] = next;
        return;
      }
      here = after;
    }
  }
}
