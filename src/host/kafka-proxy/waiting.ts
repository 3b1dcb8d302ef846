/** Waits that end together when they are released, and room that many share. */
export class Waiting {
  #released = false;
  readonly #waits = new Set<() => void>();

  /** Resolves after `ms`, or when everything is released. */
  for(ms: number): Promise<void> {
    if (this.#released) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waits.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waits.add(done);
    });
  }

  /** What waits, goes on now, and nothing waits from here on. */
  release(): void {
    this.#released = true;
    for (const done of this.#waits) done();
  }
}

/** Bytes that all connections together may hold back. */
export class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** @returns false: there is no room for so much. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}
