/** A mutex in one shared word (Drepper, "Futexes are tricky", mutex 2): 0 free, 1 held, 2 waited for. */
export function lock(words: Int32Array, at: number): void {
  if (Atomics.compareExchange(words, at, 0, 1) === 0) return;
  // Held for less than a microsecond as a rule: look again before going to sleep.
  for (let spin = 0; spin < 100; spin++) {
    if (Atomics.load(words, at) === 0 && Atomics.compareExchange(words, at, 0, 1) === 0) return;
  }
  while (Atomics.exchange(words, at, 2) !== 0) Atomics.wait(words, at, 2);
}

export function unlock(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, 0) === 2) Atomics.notify(words, at, 1);
}

/**
 * A readers-writer lock: `at` counts the readers (-1: a writer), `at + 1` the writers that wait,
 * which go first. Readers are requests that use names; writers those that move or remove them.
 */
export function lockShared(words: Int32Array, at: number): void {
  for (;;) {
    const state = Atomics.load(words, at);
    const mayEnter = state >= 0 && Atomics.load(words, at + 1) === 0;
    if (mayEnter && Atomics.compareExchange(words, at, state, state + 1) === state) return;
    if (!mayEnter) Atomics.wait(words, at, state, 1);
  }
}

export function unlockShared(words: Int32Array, at: number): void {
  if (Atomics.sub(words, at, 1) === 1) Atomics.notify(words, at);
}

export function lockExclusive(words: Int32Array, at: number): void {
  Atomics.add(words, at + 1, 1);
  for (;;) {
    if (Atomics.compareExchange(words, at, 0, -1) === 0) break;
    const state = Atomics.load(words, at);
    if (state !== 0) Atomics.wait(words, at, state, 10);
  }
  Atomics.sub(words, at + 1, 1);
}

export function unlockExclusive(words: Int32Array, at: number): void {
  Atomics.store(words, at, 0);
  Atomics.notify(words, at);
}
