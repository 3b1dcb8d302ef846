import { assert } from '../../core/base/assert.ts';
import { lock, unlock } from './lock.ts';
import { FILE_WORDS, LINK_WORDS, NAME_UNIT, NODE_WORDS, WORD, type Memory } from './memory.ts';

/** Columns of a node's row. Descriptors and links are kept plus one: 0 is none. */
export const NODE = {
  inoLow: 0,
  inoHigh: 1,
  device: 2,
  lookups: 3,
  link: 4,
  pin: 5,
  open: 6,
  flags: 7,
  next: 8,
  generation: 9,
  references: 10,
  durableLow: 11,
  durableHigh: 12,
  durableEpoch: 13,
  type: 14,
  /** Counts up with every name given or taken, also from one inode of the row to the next. */
  naming: 15,
} as const;

const LINK = { parent: 0, name: 1, length: 2, next: 3 } as const;
const FILE = { node: 0, next: 1, flags: 2, generation: 3 } as const;

/** The file had a set-user-id or set-group-id bit or a capability when we last looked. */
export const PRIVILEGED = 1;
/** Kept although the kernel forgot it: unsynced changes refer to it. */
export const TRACKED = 2;

export const ROOT = 1;

/** A name that stands in some buffer: without its zero byte. */
export interface Name {
  bytes: Uint8Array;
  from: number;
  length: number;
}

/**
 * The inodes the kernel knows, by node id (the row number), with the names that lead to them: no
 * descriptor is held for one, unless its last name is gone while somebody still uses it. All
 * threads share the table; every method that changes it takes the table's lock itself.
 */
export class NodeTable {
  readonly #memory: Memory;
  readonly #nodes: Int32Array;
  readonly #links: Int32Array;
  readonly #files: Int32Array;
  readonly #words: Int32Array;
  readonly #mask: number;
  /** Descriptors of directories that went with their last child: to be closed by the caller. */
  readonly orphans: number[] = [];

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#nodes = memory.nodes;
    this.#links = memory.links;
    this.#files = memory.files;
    this.#words = memory.words;
    this.#mask = memory.shared.sizes.nodes - 1;
    assert((memory.shared.sizes.nodes & this.#mask) === 0, 'the node count is no power of two');
  }

  get(node: number, column: number): number {
    return this.#nodes[node * NODE_WORDS + column] as number;
  }

  set(node: number, column: number, value: number): void {
    this.#nodes[node * NODE_WORDS + column] = value;
  }

  #count(node: number, column: number, by: number): void {
    this.set(node, column, this.get(node, column) + by);
  }

  setFlag(node: number, flag: number, on: boolean): void {
    const at = node * NODE_WORDS + NODE.flags;
    if (on) Atomics.or(this.#nodes, at, flag);
    else Atomics.and(this.#nodes, at, ~flag);
  }

  /** Whether this id is of a node in use. */
  isLive(node: number): boolean {
    return node >= ROOT && node < this.top() && this.get(node, NODE.type) !== 0;
  }

  /** Prepares an empty table: the root is node 1 and never forgotten. */
  start(device: number, inoLow: number, inoHigh: number): void {
    this.#words[WORD.nodeTop] = ROOT;
    this.#words[WORD.linkTop] = 1;
    this.#words[WORD.nameTop] = 1;
    const node = this.#allocate(device, inoLow, inoHigh, 0o040000);
    assert(node === ROOT, 'the first node is not the root');
    this.set(ROOT, NODE.lookups, 1);
    this.set(ROOT, NODE.references, 1);
  }

  #bucket(device: number, inoLow: number, inoHigh: number): number {
    let hash = Math.imul(inoLow ^ Math.imul(inoHigh, 0x85ebca6b) ^ device, 0x9e3779b1);
    hash ^= hash >>> 15;
    return hash & this.#mask;
  }

  #find(device: number, inoLow: number, inoHigh: number, type: number): number {
    const { hash } = this.#memory;
    let node = hash[this.#bucket(device, inoLow, inoHigh)] as number;
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

  #allocate(device: number, inoLow: number, inoHigh: number, type: number): number {
    let node = this.#words[WORD.nodeFree] as number;
    if (node === 0) {
      node = this.#words[WORD.nodeTop] as number;
      if (node > this.#mask) return 0;
      this.#words[WORD.nodeTop] = node + 1;
    } else {
      this.#words[WORD.nodeFree] = this.get(node, NODE.next);
    }
    const generation = this.get(node, NODE.generation) + 1;
    const naming = this.get(node, NODE.naming) + 1;
    this.#nodes.fill(0, node * NODE_WORDS, (node + 1) * NODE_WORDS);
    this.set(node, NODE.inoLow, inoLow);
    this.set(node, NODE.inoHigh, inoHigh);
    this.set(node, NODE.device, device);
    this.set(node, NODE.type, type);
    this.set(node, NODE.generation, generation);
    this.set(node, NODE.naming, naming);
    const bucket = this.#bucket(device, inoLow, inoHigh);
    this.set(node, NODE.next, this.#memory.hash[bucket] as number);
    this.#memory.hash[bucket] = node;
    Atomics.add(this.#words, WORD.liveNodes, 1);
    return node;
  }

  /** The node of an inode, or 0. */
  find(device: number, inoLow: number, inoHigh: number): number {
    lock(this.#words, WORD.nodeLock);
    const node = this.#find(device, inoLow, inoHigh, 0);
    unlock(this.#words, WORD.nodeLock);
    return node;
  }

  /**
   * The kernel learns of an inode by a name (or by none: parent 0): counts one look-up.
   * @returns the node, or 0 where the table is full.
   */
  enter(
    device: number,
    inoLow: number,
    inoHigh: number,
    type: number,
    parent: number,
    name: Name,
  ): number {
    lock(this.#words, WORD.nodeLock);
    let node = this.#find(device, inoLow, inoHigh, type);
    if (node === 0) node = this.#allocate(device, inoLow, inoHigh, type);
    let entered = node;
    if (node !== 0) {
      if (parent !== 0 && node !== ROOT && !this.#addLink(node, parent, name)) entered = 0;
      else this.#count(node, NODE.lookups, 1);
    }
    unlock(this.#words, WORD.nodeLock);
    return entered;
  }

  /**
   * The kernel forgets `count` look-ups.
   * @returns a descriptor that now has to be closed, or -1.
   */
  forget(node: number, count: number): number {
    if (node === ROOT || !this.isLive(node)) return -1;
    lock(this.#words, WORD.nodeLock);
    const at = node * NODE_WORDS + NODE.lookups;
    this.#nodes[at] = Math.max(0, (this.#nodes[at] as number) - count);
    const pin = this.#releaseIfUnused(node);
    unlock(this.#words, WORD.nodeLock);
    return pin;
  }

  /** Frees the row, and its directories' that were kept for it alone, where nothing needs it. */
  #releaseIfUnused(node: number): number {
    const at = node * NODE_WORDS;
    const used =
      (this.#nodes[at + NODE.lookups] as number) > 0 ||
      (this.#nodes[at + NODE.references] as number) > 0 ||
      this.#nodes[at + NODE.open] !== 0 ||
      ((this.#nodes[at + NODE.flags] as number) & TRACKED) !== 0;
    if (used || this.#nodes[at + NODE.type] === 0) return -1;
    const pin = (this.#nodes[at + NODE.pin] as number) - 1;
    this.#unhash(node);
    let link = this.#nodes[at + NODE.link] as number;
    this.#nodes[at + NODE.type] = 0;
    this.#nodes[at + NODE.link] = 0;
    this.#nodes[at + NODE.next] = this.#words[WORD.nodeFree] as number;
    this.#words[WORD.nodeFree] = node;
    Atomics.sub(this.#words, WORD.liveNodes, 1);
    while (link !== 0) {
      const next = this.#links[link * LINK_WORDS + LINK.next] as number;
      this.#freeLink(link);
      link = next;
    }
    return pin;
  }

  #unhash(node: number): void {
    const { hash } = this.#memory;
    const at = node * NODE_WORDS;
    const bucket = this.#bucket(
      this.#nodes[at + NODE.device] as number,
      this.#nodes[at + NODE.inoLow] as number,
      this.#nodes[at + NODE.inoHigh] as number,
    );
    const next = this.#nodes[at + NODE.next] as number;
    let here = hash[bucket] as number;
    if (here === node) {
      hash[bucket] = next;
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

  #nameClass(length: number): number {
    return Math.max(0, 32 - Math.clz32(Math.ceil((length + 1) / NAME_UNIT) - 1));
  }

  #findLink(node: number, parent: number, name: Name): number {
    const { names } = this.#memory;
    let link = this.get(node, NODE.link);
    while (link !== 0) {
      const at = link * LINK_WORDS;
      const length = this.#links[at + LINK.length] as number;
      if (this.#links[at + LINK.parent] === parent && length === name.length) {
        const from = (this.#links[at + LINK.name] as number) * NAME_UNIT;
        const end = name.from + name.length;
        if (names.compare(name.bytes, name.from, end, from, from + length) === 0) return link;
      }
      link = this.#links[at + LINK.next] as number;
    }
    return 0;
  }

  /** The newest name comes first: it is the one used. */
  #addLink(node: number, parent: number, name: Name): boolean {
    if (this.#findLink(node, parent, name) !== 0) return true;
    const size = this.#nameClass(name.length);
    let block = this.#words[WORD.nameFree + size] as number;
    if (block === 0) {
      block = this.#words[WORD.nameTop] as number;
      const top = block + (1 << size);
      if (top * NAME_UNIT > this.#memory.names.length) return false;
      this.#words[WORD.nameTop] = top;
    } else {
      this.#words[WORD.nameFree + size] = this.#memory.names.readInt32LE(block * NAME_UNIT);
    }
    let link = this.#words[WORD.linkFree] as number;
    if (link === 0) {
      link = this.#words[WORD.linkTop] as number;
      if ((link + 1) * LINK_WORDS > this.#links.length) return false;
      this.#words[WORD.linkTop] = link + 1;
    } else {
      this.#words[WORD.linkFree] = this.#links[link * LINK_WORDS + LINK.next] as number;
    }
    const { names } = this.#memory;
    names.set(name.bytes.subarray(name.from, name.from + name.length), block * NAME_UNIT);
    names[block * NAME_UNIT + name.length] = 0;
    const at = link * LINK_WORDS;
    this.#links[at + LINK.parent] = parent;
    this.#links[at + LINK.name] = block;
    this.#links[at + LINK.length] = name.length;
    this.#links[at + LINK.next] = this.get(node, NODE.link);
    this.set(node, NODE.link, link);
    this.#count(node, NODE.naming, 1);
    this.#count(parent, NODE.references, 1);
    return true;
  }

  #freeLink(link: number): void {
    const at = link * LINK_WORDS;
    const parent = this.#links[at + LINK.parent] as number;
    const block = this.#links[at + LINK.name] as number;
    const size = this.#nameClass(this.#links[at + LINK.length] as number);
    this.#memory.names.writeInt32LE(this.#words[WORD.nameFree + size] as number, block * NAME_UNIT);
    this.#words[WORD.nameFree + size] = block;
    this.#links[at + LINK.next] = this.#words[WORD.linkFree] as number;
    this.#words[WORD.linkFree] = link;
    this.#count(parent, NODE.references, -1);
    const pin = this.#releaseIfUnused(parent);
    if (pin >= 0) this.orphans.push(pin);
  }

  /** A name more of a node. */
  addName(node: number, parent: number, name: Name): void {
    if (node === 0) return;
    lock(this.#words, WORD.nodeLock);
    this.#addLink(node, parent, name);
    unlock(this.#words, WORD.nodeLock);
  }

  /** A name less. @returns whether the node still has a name we know. */
  removeName(node: number, parent: number, name: Name): boolean {
    if (node === 0) return false;
    lock(this.#words, WORD.nodeLock);
    const link = this.#findLink(node, parent, name);
    if (link !== 0) {
      const next = this.#links[link * LINK_WORDS + LINK.next] as number;
      let before = this.get(node, NODE.link);
      if (before === link) this.set(node, NODE.link, next);
      else {
        while (this.#links[before * LINK_WORDS + LINK.next] !== link) {
          before = this.#links[before * LINK_WORDS + LINK.next] as number;
        }
        this.#links[before * LINK_WORDS + LINK.next] = next;
      }
      this.#freeLink(link);
      this.#count(node, NODE.naming, 1);
    }
    const named = this.get(node, NODE.link) !== 0;
    unlock(this.#words, WORD.nodeLock);
    return named;
  }

  /** The directory that holds a node's name in use, or 0 where it has none. */
  parentOf(node: number): number {
    const link = this.get(node, NODE.link);
    return link === 0 ? 0 : (this.#links[link * LINK_WORDS + LINK.parent] as number);
  }

  /** Address of the zero-terminated name in use; only for a node that has one. */
  nameAddress(node: number): number {
    const link = this.get(node, NODE.link);
    const block = this.#links[link * LINK_WORDS + LINK.name] as number;
    return this.#memory.namesAddress + block * NAME_UNIT;
  }

  /** The name in use, without its zero byte, as a view. */
  nameOf(node: number): Buffer {
    const at = this.get(node, NODE.link) * LINK_WORDS;
    const from = (this.#links[at + LINK.name] as number) * NAME_UNIT;
    return this.#memory.names.subarray(from, from + (this.#links[at + LINK.length] as number));
  }

  /** The current path from the mount's root without a leading '/', or undefined without a name. */
  pathOf(node: number): string | undefined {
    lock(this.#words, WORD.nodeLock);
    const parts: string[] = [];
    let here = node;
    for (let depth = 0; here !== ROOT && depth < 4096; depth++) {
      if (here === 0 || this.get(here, NODE.link) === 0) break;
      parts.push(this.nameOf(here).toString('utf8'));
      here = this.parentOf(here);
    }
    unlock(this.#words, WORD.nodeLock);
    return here === ROOT ? parts.reverse().join('/') : undefined;
  }

  /** Keeps a descriptor of a node whose last name goes; the caller closes it where this is false. */
  pin(node: number, descriptor: number): boolean {
    lock(this.#words, WORD.nodeLock);
    const free = this.get(node, NODE.pin) === 0;
    if (free) this.set(node, NODE.pin, descriptor + 1);
    unlock(this.#words, WORD.nodeLock);
    return free;
  }

  /** Notes that a descriptor is open on a node. @returns false where the number is too large. */
  opened(node: number, descriptor: number, flags: number): boolean {
    const at = descriptor * FILE_WORDS;
    if (at + FILE_WORDS > this.#files.length) return false;
    lock(this.#words, WORD.nodeLock);
    this.#files[at + FILE.node] = node;
    this.#files[at + FILE.flags] = flags;
    this.#files[at + FILE.next] = this.get(node, NODE.open);
    this.set(node, NODE.open, descriptor + 1);
    unlock(this.#words, WORD.nodeLock);
    return true;
  }

  /** Whether this descriptor is one the kernel got from us for this node. */
  isOpen(node: number, descriptor: number): boolean {
    return this.#files[descriptor * FILE_WORDS + FILE.node] === node && node !== 0;
  }

  fileFlags(descriptor: number): number {
    return this.#files[descriptor * FILE_WORDS + FILE.flags] as number;
  }

  setFileFlag(descriptor: number, flag: number, on: boolean): void {
    const at = descriptor * FILE_WORDS + FILE.flags;
    if (on) Atomics.or(this.#files, at, flag);
    else Atomics.and(this.#files, at, ~flag);
  }

  /** A descriptor open on the node, or -1. */
  openDescriptor(node: number): number {
    const open = this.get(node, NODE.open);
    return (open === 0 ? this.get(node, NODE.pin) : open) - 1;
  }

  /**
   * A descriptor is about to be closed.
   * @returns what has to be closed: nothing where the descriptor has to keep a nameless node alive.
   */
  closing(node: number, descriptor: number): number[] {
    lock(this.#words, WORD.nodeLock);
    const at = descriptor * FILE_WORDS;
    let before = this.get(node, NODE.open) - 1;
    if (before === descriptor) this.set(node, NODE.open, this.#files[at + FILE.next] as number);
    else {
      while (before >= 0 && this.#files[before * FILE_WORDS + FILE.next] !== descriptor + 1) {
        before = (this.#files[before * FILE_WORDS + FILE.next] as number) - 1;
      }
      if (before >= 0) {
        this.#files[before * FILE_WORDS + FILE.next] = this.#files[at + FILE.next] as number;
      }
    }
    this.#files[at + FILE.node] = 0;
    const nameless =
      node !== ROOT &&
      this.get(node, NODE.link) === 0 &&
      this.get(node, NODE.open) === 0 &&
      this.get(node, NODE.pin) === 0 &&
      this.get(node, NODE.lookups) > 0;
    const close: number[] = [];
    if (nameless) this.set(node, NODE.pin, descriptor + 1);
    else {
      close.push(descriptor);
      const pin = this.#releaseIfUnused(node);
      if (pin >= 0) close.push(pin);
    }
    unlock(this.#words, WORD.nodeLock);
    return close;
  }

  /** Unsynced changes refer to the node: it stays though the kernel forgets it. */
  track(node: number): void {
    this.setFlag(node, TRACKED, true);
  }

  /** They don't any more. @returns a descriptor to close, or -1. */
  untrack(node: number): number {
    if ((this.get(node, NODE.flags) & TRACKED) === 0) return -1;
    this.setFlag(node, TRACKED, false);
    lock(this.#words, WORD.nodeLock);
    const pin = node === ROOT ? -1 : this.#releaseIfUnused(node);
    unlock(this.#words, WORD.nodeLock);
    return pin;
  }

  /** One above the highest node id ever used. */
  top(): number {
    return Atomics.load(this.#words, WORD.nodeTop);
  }
}
