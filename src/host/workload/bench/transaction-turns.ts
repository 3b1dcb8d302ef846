import { Failure } from '../../../core/base/failure.ts';
import type { TransactionRule } from '../../../core/workloads/pace.ts';
import type { ProducerSettings } from '../../kafka/outgoing.ts';
import type { Transactions } from '../../kafka/transaction.ts';
import type { LoadPlace, ProducerLoad } from './producer-load.ts';

/** The transactions of a load: which record begins one, what is in it, when it is committed. */
export class TransactionTurns {
  readonly #transactions: Transactions;
  readonly #rule: TransactionRule;
  readonly close: () => void;
  readonly #inside = new Set<number>();
  #places: readonly LoadPlace[] = [];
  #load: ProducerLoad | undefined;
  #isOpen = false;
  transaction: ProducerSettings['transaction'];
  committed = 0;

  constructor(transactions: Transactions, rule: TransactionRule, close: () => void) {
    this.#transactions = transactions;
    this.#rule = rule;
    this.close = close;
  }

  /** @throws Failure: no coordinator takes the transactional id. */
  async open(timeoutMs: number): Promise<void> {
    const identity = await this.#transactions.open(timeoutMs);
    this.transaction = { id: this.#transactions.id, ...identity };
  }

  use(load: ProducerLoad, places: readonly LoadPlace[]): void {
    this.#load = load;
    this.#places = places;
  }

  /** What has to happen before a record to this place. Most often nothing: then undefined. */
  before(place: number, nowMs: number, signal: AbortSignal): Promise<void> | undefined {
    const action = this.#rule(nowMs);
    if (action === undefined && this.#inside.has(place)) return undefined;
    return this.#turn(place, action, nowMs, signal);
  }

  async #turn(
    place: number,
    action: ReturnType<TransactionRule>,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    for (let next = action; next !== undefined; next = this.#rule(nowMs)) {
      if (next === 'commit') await this.#commit(signal);
      else this.#isOpen = true;
    }
    if (signal.aborted || this.#inside.has(place)) return;
    const one = this.#places[place];
    if (one) await this.#transactions.add([one]);
    this.#inside.add(place);
  }

  async #commit(signal: AbortSignal): Promise<void> {
    await this.#load?.flush(signal);
    if (signal.aborted) return;
    this.#check();
    await this.#end(true);
  }

  /** A transaction of which a record is missing is not committed. @throws Failure `not-written`. */
  #check(): void {
    const verdict = this.#load?.verdict;
    if (verdict !== undefined) throw new Failure('not-written', verdict, { definite: false });
  }

  async #end(commit: boolean): Promise<void> {
    if (this.#isOpen && this.#inside.size > 0) await this.#transactions.end(commit);
    if (commit && this.#isOpen) this.committed++;
    this.#isOpen = false;
    this.#inside.clear();
  }

  /** What is open at the end is committed, where all of it was written. @throws Failure. */
  async finish(): Promise<void> {
    await this.#end(this.#load?.verdict === undefined);
  }
}
