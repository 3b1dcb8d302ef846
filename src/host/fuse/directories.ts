import { constants } from 'node:fs';
import { libc, O_CLOEXEC, O_PATH } from './libc.ts';
import { NODE, ROOT } from './node-row.ts';
import type { NodeTable } from './node-table.ts';

/**
 * A thread's few open directories, the least recently used one closed first. A descriptor of a
 * directory stays right when it is renamed, so only a reused row (another generation) is stale.
 */
export class Directories {
  readonly #table: NodeTable;
  readonly #rootFd: number;
  readonly #limit: number;
  readonly #open = new Map<number, { generation: number; fd: number }>();
  #lastNode = 0;
  #lastGeneration = 0;
  #lastFd = -1;

  constructor(table: NodeTable, rootFd: number, limit: number) {
    this.#table = table;
    this.#rootFd = rootFd;
    this.#limit = limit;
  }

  /** A descriptor (O_PATH) of a directory; -1 where it can't be opened, with errno set. */
  descriptor(node: number): number {
    if (node === ROOT) return this.#rootFd;
    const generation = this.#table.get(node, NODE.generation);
    if (node === this.#lastNode && generation === this.#lastGeneration) return this.#lastFd;
    const known = this.#open.get(node);
    if (known !== undefined) {
      this.#open.delete(node);
      if (known.generation === generation) {
        this.#open.set(node, known);
        return this.#remember(node, generation, known.fd);
      }
      libc.close(known.fd);
    }
    const parent = this.#table.parentOf(node);
    if (parent === 0) return this.#table.openDescriptor(node);
    const parentFd = this.descriptor(parent);
    if (parentFd === -1) return -1;
    const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_CLOEXEC;
    const fd = libc.openat(parentFd, this.#table.nameAddress(node), flags, 0);
    if (fd === -1) return -1;
    this.#open.set(node, { generation, fd });
    return this.#remember(node, generation, fd);
  }

  #remember(node: number, generation: number, fd: number): number {
    this.#lastNode = node;
    this.#lastGeneration = generation;
    this.#lastFd = fd;
    return fd;
  }

  /** Before a request, never within one: two directories of one request must both stay open. */
  trim(): void {
    while (this.#open.size > this.#limit) {
      const [node, oldest] = this.#open.entries().next().value as [number, { fd: number }];
      libc.close(oldest.fd);
      this.#open.delete(node);
      this.#lastNode = 0;
    }
  }

  /** Closes all: a directory that was removed is let go. */
  clear(): void {
    for (const { fd } of this.#open.values()) libc.close(fd);
    this.#open.clear();
    this.#lastNode = 0;
    this.#lastFd = -1;
  }
}
