type Listener = () => void;

/** What all parts of the timeline share: the stretch that is shown, and the instant pointed at. */
export class TimeView {
  fromMs: number;
  toMs: number;
  cursorMs: number | undefined;
  readonly #whole: { fromMs: number; toMs: number };
  readonly #onRange: Listener[] = [];
  readonly #onCursor: Listener[] = [];

  constructor(fromMs: number, toMs: number) {
    this.#whole = { fromMs, toMs };
    this.fromMs = fromMs;
    this.toMs = toMs;
  }

  get zoomed(): boolean {
    return this.fromMs !== this.#whole.fromMs || this.toMs !== this.#whole.toMs;
  }

  onRange(listener: Listener): void {
    this.#onRange.push(listener);
  }

  onCursor(listener: Listener): void {
    this.#onCursor.push(listener);
  }

  show(fromMs: number, toMs: number): void {
    if (fromMs === this.fromMs && toMs === this.toMs) return;
    this.fromMs = fromMs;
    this.toMs = toMs;
    for (const listener of this.#onRange) listener();
  }

  showAll(): void {
    this.show(this.#whole.fromMs, this.#whole.toMs);
  }

  point(ms: number | undefined): void {
    if (ms === this.cursorMs) return;
    this.cursorMs = ms;
    for (const listener of this.#onCursor) listener();
  }

  /** Moves the pointed instant, for the keyboard. */
  step(ms: number): void {
    const from = this.cursorMs ?? this.fromMs;
    this.point(Math.min(this.toMs, Math.max(this.fromMs, from + ms)));
  }
}

/** Room on both sides of every plot, so that they stand exactly below each other. */
export interface Margins {
  left: number;
  right: number;
}

export function marginsFor(width: number): Margins {
  return { left: width < 640 ? 84 : 132, right: 18 };
}
