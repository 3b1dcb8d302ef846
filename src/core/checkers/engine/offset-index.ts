const PAGE_BITS = 12;
const PAGE = 1 << PAGE_BITS;

/**
 * Which value stands at which offset: pages of 4096, made when first written, so that the cost is in
 * the number of records and never in the size of an offset.
 */
export class OffsetIndex {
  #pages = new Map<number, Uint32Array>();
  #lastNumber = -1;
  #last: Uint32Array | undefined;

  #page(number: number, make: boolean): Uint32Array | undefined {
    if (number === this.#lastNumber) return this.#last;
    let page = this.#pages.get(number);
    if (page === undefined) {
      if (!make) return undefined;
      page = new Uint32Array(PAGE);
      this.#pages.set(number, page);
    }
    this.#lastNumber = number;
    this.#last = page;
    return page;
  }

  /** The value at an offset, -1: none known. */
  at(offset: number): number {
    const page = this.#page(Math.floor(offset / PAGE), false);
    return page === undefined ? -1 : (page[offset % PAGE] as number) - 1;
  }

  /** Puts a value there if none is. @returns the value that stands there now. */
  put(offset: number, value: number): number {
    const page = this.#page(Math.floor(offset / PAGE), true) as Uint32Array;
    const slot = offset % PAGE;
    const there = page[slot] as number;
    if (there !== 0) return there - 1;
    page[slot] = value + 1;
    return value;
  }

  /** Calls back for every known offset from `from` to `to`, both included; of pages that exist only. */
  forEachBetween(from: number, to: number, visit: (offset: number, value: number) => void): void {
    const first = Math.floor(from / PAGE);
    const last = Math.floor(to / PAGE);
    const few = last - first + 1 <= this.#pages.size;
    const numbers = few
      ? Array.from({ length: last - first + 1 }, (_, index) => first + index)
      : [...this.#pages.keys()].filter((number) => number >= first && number <= last);
    for (const number of numbers) {
      const page = this.#pages.get(number);
      if (page === undefined) continue;
      const start = Math.max(from, number * PAGE);
      const end = Math.min(to, number * PAGE + PAGE - 1);
      for (let offset = start; offset <= end; offset++) {
        const value = page[offset % PAGE] as number;
        if (value !== 0) visit(offset, value - 1);
      }
    }
  }
}
