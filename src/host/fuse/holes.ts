import { ReadIn } from '../../core/codec/fuse/messages.ts';
import { OPCODES } from '../../core/codec/fuse/constants.ts';
import type { Engine } from './engine.ts';
import type { Pages } from './messages.ts';

const PAGE = 4096;
/** Appends farther apart leave holes that cost a reader little. */
const WIDEST_STEP = 256 << 10;
/** As many holes one after the other are a pattern. */
const STEPS = 3;
/** Dropped at once: a few windows of read-ahead. */
const WINDOW = 4 << 20;
/** Less is not worth it: at the end of a log a reader meets one hole for each append. */
const SHORTEST = 256 << 10;

/**
 * Finds readers that go from hole to hole. Where two appends meet within a page, the kernel keeps that
 * page without believing it (it is valid only when it was written whole: fuse_fill_write_pages), and
 * whoever reads the file later waits for it alone, again and again, all around it being cached. With the
 * pages ahead dropped, read-ahead fetches them together, before they are needed.
 */
export class Holes {
  #node = 0;
  #last = 0;
  #steps = 0;
  /** Up to here pages are dropped already, or about to be. */
  #dropped = 0;

  /** @returns what to drop after the request the engine has just served. */
  after(engine: Engine): Pages | undefined {
    if (engine.opcode !== OPCODES.read || engine.u32(ReadIn.at.size) !== PAGE) return undefined;
    const { node } = engine;
    const offset = engine.u64(ReadIn.at.offset);
    const step = offset - this.#last;
    // The very next page is somebody's who reads by pages.
    const isStep = node === this.#node && step > PAGE && step <= WIDEST_STEP;
    this.#steps = isStep ? this.#steps + 1 : 0;
    if (!isStep) this.#dropped = 0;
    this.#node = node;
    this.#last = offset;
    if (this.#steps < STEPS || offset < this.#dropped) return undefined;
    const from = offset + PAGE;
    const fd = engine.descriptor(ReadIn.at.fh);
    if (fd === -1 || engine.statDescriptor(fd) !== 0) return undefined;
    const length = Math.min(WINDOW, Math.floor((engine.size - from) / PAGE) * PAGE);
    if (length < SHORTEST) return undefined;
    this.#dropped = from + length;
    return { type: 'pages', node, offset: from, length };
  }
}
