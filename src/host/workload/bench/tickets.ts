import type { PayloadGenerator } from '../../../core/workloads/payload-generator.ts';

const KEY_BYTES = 4;

/** The numbers of a round trip: which were sent, acknowledged, have come back; a bit each. */
export class Tickets {
  readonly #most: number;
  readonly #verify: PayloadGenerator | undefined;
  readonly #back: Uint8Array;
  #lost: number[] = [];
  #acknowledged = 0;
  sent = 0;
  /** Numbers that have come back, each counted once. */
  received = 0;
  /** What came back other than it was sent. */
  damage: string | undefined;

  /** @param verify makes the value of a number again, where that can be. */
  constructor(most: number, verify: PayloadGenerator | undefined) {
    this.#most = most;
    this.#verify = verify;
    this.#back = new Uint8Array(Math.ceil(most / 8));
  }

  acknowledge(count: number): void {
    this.#acknowledged += count;
  }

  /** Its fate is not known: it will be sent again. */
  lose(number: number): void {
    this.#lost.push(number);
  }

  takeLost(): number[] {
    const lost = this.#lost;
    this.#lost = [];
    return lost;
  }

  receive(key: Buffer | null, value: Buffer | null): void {
    // Somebody else writes here, too.
    if (key?.length !== KEY_BYTES) return;
    const number = key.readUInt32LE(0);
    if (number >= this.#most) return;
    const [at, bit] = [number >>> 3, 1 << (number & 7)];
    const seen = this.#back[at] ?? 0;
    if ((seen & bit) !== 0) return;
    this.#back[at] = seen | bit;
    this.received++;
    if (this.#verify && this.damage === undefined) this.#check(number, value);
  }

  #check(number: number, value: Buffer | null): void {
    const wanted = this.#verify?.(number, 0) ?? null;
    const same = wanted === null ? value === null : value !== null && value.equals(wanted);
    if (!same)
      this.damage = `the record ${number} came back with other bytes than it was sent with`;
  }

  get isDone(): boolean {
    return this.received >= this.#most && this.#acknowledged >= this.#most;
  }

  /** In words, how much of what was wanted is missing. */
  get missing(): string {
    const unacknowledged = Math.max(0, this.#most - this.#acknowledged);
    const back = this.#most - this.received;
    return `${back} of ${this.#most} records (${unacknowledged} were not acknowledged)`;
  }
}
