import { Failure } from '../../src/core/base/failure.ts';
import type { DiskAct, FlippedFile } from '../../src/core/model/act-disk.ts';
import type { DiskAnswer, DiskQuery, FilePlaces } from '../../src/core/model/query-disk.ts';
import type { Effect } from './fake-disk.ts';

export type FileAct = Extract<
  DiskAct,
  { act: 'disk.fill' | 'disk.fill.remove' | 'disk.flip' | 'disk.flip.undo' }
>;
export type FileQuery = Extract<DiskQuery, { query: 'diskSpace' | 'diskFile' | 'diskBytes' }>;

const TOTAL_BYTES = 1e9;
const INODE = 7;

/** Files on the disks of a pretended machine: they outlive its reboot. */
export class FakeDiskFiles {
  readonly #effect: Effect;
  readonly #fills = new Map<string, number>();
  readonly #files = new Map<string, Buffer>();

  constructor(effect: Effect) {
    this.#effect = effect;
    this.add('/var/lib/kafka/data/orders-0/00000000000000000000.log', Buffer.alloc(4096, 0x5a));
  }

  add(path: string, bytes: Buffer): void {
    this.#files.set(path, Buffer.from(bytes));
  }

  snapshot(): unknown {
    const files = [...this.#files].map(([path, bytes]) => `${path} ${bytes.toString('base64')}`);
    return { fills: [...this.#fills.keys()].sort(), files: files.sort() };
  }

  perform(act: FileAct): void {
    const says = `${act.act} ${act.path}`;
    switch (act.act) {
      case 'disk.fill':
        return this.#effect(says, () => this.#fills.set(act.path, act.bytes));
      case 'disk.fill.remove':
        return this.#effect(says, () => this.#fills.delete(act.path));
      case 'disk.flip':
        return this.#flip(act);
      case 'disk.flip.undo':
        return this.#effect(says, () => this.#flipBack(act));
    }
  }

  holds(act: FileAct): boolean {
    switch (act.act) {
      case 'disk.fill':
        return this.#fills.get(act.path) === act.bytes;
      case 'disk.fill.remove':
        return !this.#fills.has(act.path);
      case 'disk.flip':
        return this.#same(act.path, act.windows);
      case 'disk.flip.undo':
        return !this.#same(act.path, act.windows);
    }
  }

  answer(query: FileQuery): DiskAnswer {
    switch (query.query) {
      case 'diskSpace': {
        const filled = [...this.#fills.values()].reduce((sum, bytes) => sum + bytes, 0);
        const room = { totalBytes: TOTAL_BYTES, availableBytes: TOTAL_BYTES / 2 - filled };
        const space = { device: '2049', ownState: false, ours: false, ...room };
        return { query: 'diskSpace', space };
      }
      case 'diskFile':
        return this.#look(query);
      case 'diskBytes':
        return { query: 'diskBytes', same: this.#same(query.path, query.windows) };
    }
  }

  #read(path: string, offset: number, length: number): string {
    return this.#files.get(path)?.toString('hex', offset, offset + length) ?? '';
  }

  #same(path: string, windows: readonly { offset: number; is: string }[]): boolean {
    return windows.every(({ offset, is }) => this.#read(path, offset, is.length / 2) === is);
  }

  #look(places: FilePlaces): DiskAnswer {
    const { segment, from, around } = places;
    const below = `${segment?.directory}/${segment?.topicPartition}/`;
    const path = places.path ?? [...this.#files.keys()].find((one) => one.startsWith(below)) ?? '';
    const size = this.#files.get(path)?.length;
    if (size === undefined) return { query: 'diskFile', why: `no file ${path}` };
    const to = Math.min(size, places.to ?? size);
    const windows = places.draws.map((draw) => {
      const at = from + Math.floor((draw / 2 ** 32) * (to - from));
      const offset = Math.max(0, at - around);
      return { at, offset, was: this.#read(path, offset, at + around + 1 - offset) };
    });
    return { query: 'diskFile', file: { path, inode: INODE, bytes: size, windows } };
  }

  #flip(act: Extract<FileAct, { act: 'disk.flip' }>): void {
    const { path, windows } = act;
    for (const { offset, was, is } of windows) {
      if ([was, is].includes(this.#read(path, offset, was.length / 2))) continue;
      throw new Failure('changed', `${path} is not what it was`, { definite: true });
    }
    this.#effect(`disk.flip ${path}`, () => {
      for (const { offset, is } of windows) this.#files.get(path)?.write(is, offset, 'hex');
    });
  }

  #flipBack({ path, windows }: FlippedFile): void {
    for (const { offset, was, is } of windows) {
      if (this.#read(path, offset, is.length / 2) !== is) continue;
      this.#files.get(path)?.write(was, offset, 'hex');
    }
  }
}
