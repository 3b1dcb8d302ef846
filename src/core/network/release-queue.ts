/**
 * Packets that wait, by when they are due: a binary heap in typed arrays, so that nothing is
 * allocated for a packet. Those due at the same instant leave in the order in which they came.
 */
export class ReleaseQueue {
  #due = new Float64Array(1024);
  #serial = new Float64Array(1024);
  #id = new Uint32Array(1024);
  #length = new Uint32Array(1024);
  #size = 0;
  #bytes = 0;
  #pushed = 0;

  get size(): number {
    return this.#size;
  }

  /** Of all that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the first is due; Infinity where nothing waits. */
  get nextDue(): number {
    return this.#size === 0 ? Infinity : (this.#due[0] ?? Infinity);
  }

  /** @param bytes the packet's length. */
  push(due: number, id: number, bytes: number): void {
    if (this.#size === this.#due.length) this.#grow();
    const serial = this.#pushed++;
    this.#bytes += bytes;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      // The newest of equals comes last: only an earlier one passes its parent.
      if ((this.#due[parent] ?? 0) <= due) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#set(at, due, serial, id, bytes);
  }

  /** Takes the first out. @returns its id. */
  pop(): number {
    const id = this.#id[0] ?? 0;
    this.#bytes -= this.#length[0] ?? 0;
    const last = --this.#size;
    const due = this.#due[last] ?? 0;
    const serial = this.#serial[last] ?? 0;
    const lastId = this.#id[last] ?? 0;
    const lastLength = this.#length[last] ?? 0;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#isBefore(child + 1, child)) child++;
      const childDue = this.#due[child] ?? 0;
      if (due < childDue || (due === childDue && serial < (this.#serial[child] ?? 0))) break;
      this.#move(child, at);
      at = child;
    }
    if (last > 0) this.#set(at, due, serial, lastId, lastLength);
    return id;
  }

  #isBefore(one: number, other: number): boolean {
    const [oneDue, otherDue] = [this.#due[one] ?? 0, this.#due[other] ?? 0];
    if (oneDue !== otherDue) return oneDue < otherDue;
    return (this.#serial[one] ?? 0) < (this.#serial[other] ?? 0);
  }

  #move(from: number, to: number): void {
    const due = this.#due[from] ?? 0;
    const serial = this.#serial[from] ?? 0;
    this.#set(to, due, serial, this.#id[from] ?? 0, this.#length[from] ?? 0);
  }

  #set(at: number, due: number, serial: number, id: number, bytes: number): void {
    this.#due[at] = due;
    this.#serial[at] = serial;
    this.#id[at] = id;
    this.#length[at] = bytes;
  }

  #grow(): void {
    const [due, serial, id, length] = [this.#due, this.#serial, this.#id, this.#length];
    this.#due = new Float64Array(due.length * 2);
    this.#serial = new Float64Array(due.length * 2);
    this.#id = new Uint32Array(due.length * 2);
    this.#length = new Uint32Array(due.length * 2);
    this.#due.set(due);
    this.#serial.set(serial);
    this.#id.set(id);
    this.#length.set(length);
  }
}
