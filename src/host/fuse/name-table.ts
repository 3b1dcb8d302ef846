import { LINK_WORDS, NAME_UNIT, NODE_WORDS, WORD, type Memory } from './memory.ts';
import { NODE } from './node-row.ts';

/** `next` leads to the node's other names, `chain` to others of the same hash of directory and name. */
const LINK = { parent: 0, name: 1, length: 2, next: 3, node: 4, chain: 5 } as const;

/** A name that stands in some buffer: without its zero byte. */
export interface Name {
  bytes: Uint8Array;
  from: number;
  length: number;
}

/** A block for a name of this length is NAME_UNIT << this. */
function sizeClass(length: number): number {
  return Math.max(0, 32 - Math.clz32(Math.ceil((length + 1) / NAME_UNIT) - 1));
}

/**
 * The names that lead to nodes, found from the node (its newest first) and by directory and name. A
 * link is a row of it, 0 is none. Its users hold the node table's lock, and count references.
 */
export class NameTable {
  readonly #memory: Memory;
  readonly #nodes: Int32Array;
  readonly #links: Int32Array;
  readonly #heads: Int32Array;
  readonly #words: Int32Array;
  readonly #names: Buffer;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#nodes = memory.nodes;
    this.#links = memory.links;
    this.#heads = memory.linkHash;
    this.#words = memory.words;
    this.#names = memory.names;
  }

  /** The name in use of a node. */
  first(node: number): number {
    return this.#nodes[node * NODE_WORDS + NODE.link] as number;
  }

  parent(link: number): number {
    return this.#links[link * LINK_WORDS + LINK.parent] as number;
  }

  /** Where the name stands. */
  place(link: number): Name {
    const at = link * LINK_WORDS;
    const from = (this.#links[at + LINK.name] as number) * NAME_UNIT;
    return { bytes: this.#names, from, length: this.#links[at + LINK.length] as number };
  }

  text(link: number): string {
    const { from, length } = this.place(link);
    return this.#names.toString('utf8', from, from + length);
  }

  /** Address of the zero-terminated name. */
  address(link: number): number {
    const block = this.#links[link * LINK_WORDS + LINK.name] as number;
    return this.#memory.namesAddress + block * NAME_UNIT;
  }

  #bucket(parent: number, bytes: Uint8Array, from: number, length: number): number {
    let hash = Math.imul(parent, 0x9e3779b1);
    for (let at = from; at < from + length; at++) {
      hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    }
    return (hash ^ (hash >>> 15)) & (this.#heads.length - 1);
  }

  #is(link: number, parent: number, name: Name): boolean {
    const at = link * LINK_WORDS;
    const { length } = name;
    if (this.#links[at + LINK.parent] !== parent || this.#links[at + LINK.length] !== length) {
      return false;
    }
    const from = (this.#links[at + LINK.name] as number) * NAME_UNIT;
    for (let index = 0; index < length; index++) {
      if (this.#names[from + index] !== name.bytes[name.from + index]) return false;
    }
    return true;
  }

  /** The node that a name in a directory was last found to lead to, or 0. */
  child(parent: number, name: Name): number {
    let link = this.#heads[this.#bucket(parent, name.bytes, name.from, name.length)] as number;
    while (link !== 0 && !this.#is(link, parent, name)) {
      link = this.#links[link * LINK_WORDS + LINK.chain] as number;
    }
    return link === 0 ? 0 : (this.#links[link * LINK_WORDS + LINK.node] as number);
  }

  find(node: number, parent: number, name: Name): number {
    let link = this.first(node);
    while (link !== 0 && !this.#is(link, parent, name)) {
      link = this.#links[link * LINK_WORDS + LINK.next] as number;
    }
    return link;
  }

  /** One more name of a node, which has it not yet. @returns false where there is no room. */
  add(node: number, parent: number, name: Name): boolean {
    const block = this.#takeBlock(sizeClass(name.length));
    const link = block === 0 ? 0 : this.#takeLink();
    if (link === 0) return false;
    const from = block * NAME_UNIT;
    this.#names.set(name.bytes.subarray(name.from, name.from + name.length), from);
    this.#names[from + name.length] = 0;
    const at = link * LINK_WORDS;
    this.#links[at + LINK.parent] = parent;
    this.#links[at + LINK.name] = block;
    this.#links[at + LINK.length] = name.length;
    this.#links[at + LINK.node] = node;
    this.#links[at + LINK.next] = this.first(node);
    this.#nodes[node * NODE_WORDS + NODE.link] = link;
    const bucket = this.#bucket(parent, name.bytes, name.from, name.length);
    this.#links[at + LINK.chain] = this.#heads[bucket] as number;
    this.#heads[bucket] = link;
    return true;
  }

  #takeBlock(size: number): number {
    const free = this.#words[WORD.nameFree + size] as number;
    if (free !== 0) {
      this.#words[WORD.nameFree + size] = this.#names.readInt32LE(free * NAME_UNIT);
      return free;
    }
    const block = this.#words[WORD.nameTop] as number;
    const top = block + (1 << size);
    if (top * NAME_UNIT > this.#names.length) return 0;
    this.#words[WORD.nameTop] = top;
    return block;
  }

  #takeLink(): number {
    const free = this.#words[WORD.linkFree] as number;
    if (free !== 0) {
      this.#words[WORD.linkFree] = this.#links[free * LINK_WORDS + LINK.next] as number;
      return free;
    }
    const link = this.#words[WORD.linkTop] as number;
    if ((link + 1) * LINK_WORDS > this.#links.length) return 0;
    this.#words[WORD.linkTop] = link + 1;
    return link;
  }

  /** Takes a name from a node. @returns the directory it was in. */
  remove(node: number, link: number): number {
    const at = link * LINK_WORDS;
    const next = this.#links[at + LINK.next] as number;
    let before = this.first(node);
    if (before === link) this.#nodes[node * NODE_WORDS + NODE.link] = next;
    else {
      while (this.#links[before * LINK_WORDS + LINK.next] !== link) {
        before = this.#links[before * LINK_WORDS + LINK.next] as number;
      }
      this.#links[before * LINK_WORDS + LINK.next] = next;
    }
    const parent = this.#links[at + LINK.parent] as number;
    const block = this.#links[at + LINK.name] as number;
    const length = this.#links[at + LINK.length] as number;
    this.#unchain(link, this.#bucket(parent, this.#names, block * NAME_UNIT, length));
    const size = sizeClass(length);
    this.#names.writeInt32LE(this.#words[WORD.nameFree + size] as number, block * NAME_UNIT);
    this.#words[WORD.nameFree + size] = block;
    this.#links[at + LINK.next] = this.#words[WORD.linkFree] as number;
    this.#words[WORD.linkFree] = link;
    return parent;
  }

  #unchain(link: number, bucket: number): void {
    const after = this.#links[link * LINK_WORDS + LINK.chain] as number;
    let before = this.#heads[bucket] as number;
    if (before === link) {
      this.#heads[bucket] = after;
      return;
    }
    while (this.#links[before * LINK_WORDS + LINK.chain] !== link) {
      before = this.#links[before * LINK_WORDS + LINK.chain] as number;
    }
    this.#links[before * LINK_WORDS + LINK.chain] = after;
  }
}
