import { assert } from '../../core/base/assert.ts';
import { lock, unlock } from './lock.ts';
import { InodeIndex } from './inode-index.ts';
import { NODE_WORDS, WORD, type Memory } from './memory.ts';
import { NameTable, type Name } from './name-table.ts';
import { NODE, ROOT, TRACKED } from './node-row.ts';
import { OpenFiles } from './open-files.ts';

/**
 * The inodes the kernel knows, by node id (the row number), with the names that lead to them: no
 * descriptor is held for one, unless its last name is gone while somebody still uses it. All
 * threads share the table; every method that changes it takes the table's lock itself.
 */
export class NodeTable {
  readonly #nodes: Int32Array;
  readonly #words: Int32Array;
  readonly #mask: number;
  readonly #inodes: InodeIndex;
  readonly #names: NameTable;
  readonly files: OpenFiles;
  /** Descriptors of directories that went with their last child: to be closed by the caller. */
  readonly orphans: number[] = [];

  constructor(memory: Memory) {
    this.#nodes = memory.nodes;
    this.#words = memory.words;
    this.#inodes = new InodeIndex(memory);
    this.#names = new NameTable(memory);
    this.files = new OpenFiles(memory);
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
    this.#inodes.add(node);
    Atomics.add(this.#words, WORD.liveNodes, 1);
    return node;
  }

  /** The node of an inode, or 0. */
  find(device: number, inoLow: number, inoHigh: number): number {
    lock(this.#words, WORD.nodeLock);
    const node = this.#inodes.find(device, inoLow, inoHigh, 0);
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
    let node = this.#inodes.find(device, inoLow, inoHigh, type);
    if (node === 0) node = this.#allocate(device, inoLow, inoHigh, type);
    const isNamed = parent !== 0 && node > ROOT;
    if (isNamed && !this.#addLink(node, parent, name)) node = 0;
    if (node !== 0) this.#count(node, NODE.lookups, 1);
    unlock(this.#words, WORD.nodeLock);
    return node;
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
    this.#inodes.remove(node);
    this.#nodes[at + NODE.type] = 0;
    Atomics.sub(this.#words, WORD.liveNodes, 1);
    for (let link = this.#names.first(node); link !== 0; link = this.#names.first(node)) {
      this.#removeLink(node, link);
    }
    this.#nodes[at + NODE.next] = this.#words[WORD.nodeFree] as number;
    this.#words[WORD.nodeFree] = node;
    return pin;
  }

  /** The newest name comes first: it is the one used. @returns false where there is no room. */
  #addLink(node: number, parent: number, name: Name): boolean {
    if (this.#names.find(node, parent, name) !== 0) return true;
    if (!this.#names.add(node, parent, name)) return false;
    this.#count(node, NODE.naming, 1);
    this.#count(parent, NODE.references, 1);
    return true;
  }

  #removeLink(node: number, link: number): void {
    const parent = this.#names.remove(node, link);
    this.#count(parent, NODE.references, -1);
    const pin = this.#releaseIfUnused(parent);
    if (pin >= 0) this.orphans.push(pin);
  }

  /** The node that a name in a directory leads to as far as we were told, or 0. */
  child(parent: number, name: Name): number {
    lock(this.#words, WORD.nodeLock);
    const node = this.#names.child(parent, name);
    unlock(this.#words, WORD.nodeLock);
    return node;
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
    const link = this.#names.find(node, parent, name);
    if (link !== 0) {
      this.#removeLink(node, link);
      this.#count(node, NODE.naming, 1);
    }
    const named = this.get(node, NODE.link) !== 0;
    unlock(this.#words, WORD.nodeLock);
    return named;
  }

  /** The directory that holds a node's name in use, or 0 where it has none. */
  parentOf(node: number): number {
    const link = this.#names.first(node);
    return link === 0 ? 0 : this.#names.parent(link);
  }

  /** Address of the zero-terminated name in use; only for a node that has one. */
  nameAddress(node: number): number {
    return this.#names.address(this.#names.first(node));
  }

  /** Where the name in use stands: it may be taken at any time unless the path lock is held. */
  nameOf(node: number): Name {
    return this.#names.place(this.#names.first(node));
  }

  /** The current path from the mount's root without a leading '/', or undefined without a name. */
  pathOf(node: number): string | undefined {
    lock(this.#words, WORD.nodeLock);
    const parts: string[] = [];
    let here = node;
    for (let depth = 0; here !== ROOT && depth < 4096; depth++) {
      if (here === 0 || this.get(here, NODE.link) === 0) break;
      parts.push(this.#names.text(this.#names.first(here)));
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
    if (!this.files.hasRoom(descriptor)) return false;
    lock(this.#words, WORD.nodeLock);
    this.files.add(node, descriptor, flags);
    unlock(this.#words, WORD.nodeLock);
    return true;
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
    this.files.remove(node, descriptor);
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
