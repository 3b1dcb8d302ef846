/** What becomes of a frame, decided at its start. */
export type Route =
  /** Its bytes go on as they come. */
  | 'pass'
  /** Nobody gets it. */
  | 'drop'
  /** Handed over as a whole, to collected(). */
  | 'collect'
  /** Its start does not say enough yet. */
  | 'more'
  /** It, and all after it, wait for go(). */
  | 'stop';

/** Who decides, and where bytes go. */
export interface FrameSink {
  /**
   * @param start what is there of the frame, its size included.
   * @param size of all of it, in bytes.
   * @param flush writes what passed before it and still waits.
   */
  begin(start: Buffer, size: number, flush: () => void): Route;
  pass(bytes: Buffer): void;
  /** @returns whether nobody needs its bytes any more. */
  collected(frame: Buffer): boolean;
  /** The frame that begin() routed has gone by. @param flush as above, that frame included. */
  ended(flush: () => void): void;
}

/** Smallest frame that can be one of Kafka's: a size and a correlation id. */
const SMALLEST = 8;
/** Kafka's own limit is an int32; whatever claims more is another protocol. */
const LARGEST = 0x7fff_ffff;

/**
 * Cuts a stream into Kafka's frames (a 32-bit size, then that many bytes) without holding them: of a
 * frame that passes no byte is copied, and frames that pass together are written together.
 */
export class FrameCutter {
  readonly #sink: FrameSink;
  #rest: Buffer | undefined;
  /** Of the frame that is going by: bytes to come. */
  #left = 0;
  #dropping = false;
  #collecting: { frame: Buffer; filled: number } | undefined;
  #stopped = false;
  #spare: Buffer | undefined;
  /** The bytes were no Kafka: everything passes from there on. */
  blind = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether the stream stands between two frames, with nothing of the next one here. */
  get idle(): boolean {
    return this.#left === 0 && this.#collecting === undefined && this.#rest === undefined;
  }

  push(chunk: Buffer): void {
    this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#run();
  }

  /** Nothing more will come: a frame that is half here never will be whole. */
  abandon(): void {
    this.#collecting = undefined;
    this.#rest = undefined;
    this.#spare = undefined;
  }

  /** Nothing more is begun until go(). */
  stop(): void {
    this.#stopped = true;
  }

  go(): void {
    this.#stopped = false;
    this.#run();
  }

  #run(): void {
    const bytes = this.#rest;
    if (bytes === undefined) return;
    this.#rest = undefined;
    let at = 0;
    /** Where the bytes begin that pass and were not yet written. */
    let from = 0;
    const flush = (): void => {
      if (at > from) this.#sink.pass(bytes.subarray(from, at));
      from = at;
    };
    while (at < bytes.length) {
      if (this.#collecting !== undefined) {
        const taken = this.#collect(bytes, at, this.#collecting);
        at += taken;
        from = at;
        if (this.#collecting === undefined) this.#sink.ended(flush);
      } else if (this.#left > 0) {
        const size = Math.min(this.#left, bytes.length - at);
        at += size;
        if (this.#dropping) from = at;
        this.#left -= size;
        if (this.#left === 0) this.#sink.ended(flush);
      } else if (this.#stopped || !this.#begin(bytes, at, flush)) break;
    }
    flush();
    // A copy: what was read into is read into again.
    if (at < bytes.length) this.#keep(Buffer.from(bytes.subarray(at)));
  }

  /** What came while the sink worked (it may write into itself) stands behind. */
  #keep(bytes: Buffer): void {
    const later = this.#rest;
    this.#rest = later === undefined ? bytes : Buffer.concat([bytes, later]);
  }

  /** @returns false: the frame at `at` can't be begun yet. */
  #begin(bytes: Buffer, at: number, flush: () => void): boolean {
    if (this.blind) {
      this.#left = Infinity;
      return true;
    }
    if (bytes.length - at < 4) return false;
    const size = bytes.readInt32BE(at) + 4;
    if (size < SMALLEST || size > LARGEST) {
      this.blind = true;
      return true;
    }
    const route = this.#sink.begin(bytes.subarray(at), size, flush);
    this.#dropping = route === 'drop';
    if (route === 'stop') this.#stopped = true;
    if (route === 'stop' || route === 'more') return false;
    if (route === 'pass') this.#left = size;
    else flush();
    if (route === 'drop') this.#left = size;
    if (route === 'collect') this.#collecting = { frame: this.#roomFor(size), filled: 0 };
    return true;
  }

  /** The frame before may lend its room: frames that are collected come one after the other. */
  #roomFor(size: number): Buffer {
    const spare = this.#spare;
    this.#spare = undefined;
    const fits = spare !== undefined && spare.buffer.byteLength >= size;
    return fits ? Buffer.from(spare.buffer, 0, size) : Buffer.allocUnsafeSlow(size);
  }

  #collect(bytes: Buffer, at: number, into: { frame: Buffer; filled: number }): number {
    const copied = bytes.copy(into.frame, into.filled, at);
    into.filled += copied;
    if (into.filled < into.frame.length) return copied;
    this.#collecting = undefined;
    if (this.#sink.collected(into.frame)) this.#spare = into.frame;
    return copied;
  }
}
