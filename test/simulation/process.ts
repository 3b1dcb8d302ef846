import type { Task, World } from './world.ts';

/** A process: what it was about to do waits while it is stopped, and is lost when it is killed. */
export class Process {
  alive = true;
  stopped = false;
  readonly name: string;
  readonly #world: World;
  #waiting: Task[] = [];
  /** When it dies, whatever kills it. */
  onDeath: () => void = () => undefined;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  get running(): boolean {
    return this.alive && !this.stopped;
  }

  /** @returns takes it back. */
  at(atMs: number, task: Task): () => void {
    return this.#world.at(atMs, () => this.do(task));
  }

  after(ms: number, task: Task): () => void {
    return this.at(this.#world.nowMs + ms, task);
  }

  /** Now, or when it runs again, or never. */
  do(task: Task): void | Promise<void> {
    if (!this.alive) return;
    if (this.stopped) this.#waiting.push(task);
    else return task();
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#waiting = [];
    this.#world.say(`${this.name}: killed`);
    this.onDeath();
  }

  stop(): void {
    if (!this.running) return;
    this.stopped = true;
    this.#world.say(`${this.name}: stopped`);
  }

  goOn(): void {
    if (!this.alive || !this.stopped) return;
    this.stopped = false;
    this.#world.say(`${this.name}: goes on`);
    for (const task of this.#waiting.splice(0)) this.after(0, task);
  }
}
