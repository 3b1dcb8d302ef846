/** What an event stream is fed from. */
export interface EventFeed {
  /** Held events after an id, oldest first; `complete` is false where some are no longer held. */
  after(id: number): { events: { id: number }[]; complete: boolean };
  /** @returns how to stop listening. */
  subscribe(listener: (event: { id: number }) => void): () => void;
}

/** The newest events, in memory, with ids that only grow. */
export class EventLog<E extends { id: number }> implements EventFeed {
  readonly #capacity: number;
  readonly #listeners = new Set<(event: E) => void>();
  #events: E[] = [];
  #lastId: number;

  /**
   * @param lastId the id of the last event before a restart, so that ids go on growing.
   * @param held events from before it, oldest first.
   */
  constructor(capacity = 4_096, lastId = 0, held: readonly E[] = []) {
    this.#capacity = capacity;
    this.#lastId = lastId;
    this.#events = [...held];
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** Adds an event under the next id and tells everyone who listens. */
  append(event: Omit<E, 'id'>): E {
    this.#lastId += 1;
    const numbered = { id: this.#lastId, ...event } as E;
    this.#events.push(numbered);
    // Trimmed in bulk: shifting one element a time costs the whole array.
    if (this.#events.length > this.#capacity * 2)
      this.#events = this.#events.slice(-this.#capacity);
    for (const listener of this.#listeners) listener(numbered);
    return numbered;
  }

  after(id: number): { events: E[]; complete: boolean } {
    const events = this.#events.filter((event) => event.id > id);
    const oldest = events[0]?.id ?? this.#lastId + 1;
    return { events, complete: oldest <= id + 1 || this.#lastId <= id };
  }

  subscribe(listener: (event: E) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
