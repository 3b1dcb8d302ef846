import { NOTIFY } from '../../core/codec/fuse/constants.ts';
import { NotifyInvalEntry, NotifyInvalInode, OutHeader } from '../../core/codec/fuse/messages.ts';
import { print } from '../../core/codec/fuse/struct.ts';
import { addressOf, libc } from './libc.ts';

/**
 * Tells the kernel to forget what it has cached. Each call may block until requests in flight are
 * answered, so only the thread that does nothing else calls it.
 */
export class Notices {
  readonly #device: number;
  readonly #bytes = Buffer.alloc(4096);
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  readonly #address = addressOf(this.#bytes);

  constructor(device: number) {
    this.#device = device;
  }

  #send(code: number, length: number): boolean {
    print(OutHeader, { len: length, error: code, unique: 0n }, this.#view);
    // ENOENT: the kernel has not cached that inode or name, which is as good.
    return libc.write(this.#device, this.#address, length) !== -1;
  }

  /** Pages of an inode and its attributes; all pages where `length` is 0. Dirty ones are written first. */
  pages(node: number, offset = 0, length = 0): boolean {
    const values = { ino: BigInt(node), off: BigInt(offset), len: BigInt(length) };
    print(NotifyInvalInode, values, this.#view, OutHeader.size);
    return this.#send(NOTIFY.invalInode, OutHeader.size + NotifyInvalInode.size);
  }

  attributes(node: number): boolean {
    return this.pages(node, -1, 0);
  }

  entry(parent: number, name: Uint8Array): boolean {
    const values = { parent: BigInt(parent), namelen: name.length, flags: 0 };
    print(NotifyInvalEntry, values, this.#view, OutHeader.size);
    const at = OutHeader.size + NotifyInvalEntry.size;
    this.#bytes.set(name, at);
    this.#bytes[at + name.length] = 0;
    return this.#send(NOTIFY.invalEntry, at + name.length + 1);
  }

  /** All names at once, also those known not to exist (7.44). */
  allEntries(): boolean {
    return this.#send(NOTIFY.incEpoch, OutHeader.size);
  }
}
