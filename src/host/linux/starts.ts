import { Failure } from '../../core/base/failure.ts';

/** One start of a process, while it goes on. */
export class Start {
  #givenUp = false;

  /**
   * To be asked before whatever would come into force, with nothing awaited in between.
   * @throws Failure once nobody wants it any more.
   */
  check(): void {
    if (!this.#givenUp) return;
    const message = 'its fault has ended while its process was starting';
    throw new Failure('given-up', message, { definite: false });
  }

  giveUp(): void {
    this.#givenUp = true;
  }
}

/** The starts of this process, by token: an undo does not wait for one, it ends it. */
export class Starts {
  readonly #going = new Map<string, { start: Start; over: Promise<unknown> }>();

  async run(token: string, work: (start: Start) => Promise<void>): Promise<void> {
    const start = new Start();
    const running = work(start);
    // How it ends is told to who performs it, below.
    const going = { start, over: running.catch(() => undefined) };
    this.#going.set(token, going);
    try {
      await running;
    } finally {
      if (this.#going.get(token) === going) this.#going.delete(token);
    }
  }

  /**
   * Nothing that is starting with this token comes into force from now on, and nothing is starting when
   * this returns. @param kill ends the process, if there is one: who waits for it then hears of its end.
   */
  async giveUp(token: string, kill: () => Promise<void>): Promise<void> {
    const going = this.#going.get(token);
    if (going === undefined) return;
    going.start.giveUp();
    await kill();
    await going.over;
  }
}
