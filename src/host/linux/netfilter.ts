import { Failure, reasonOf } from '../../core/base/failure.ts';
import { holdsAll, packetsOf } from '../../core/codec/netfilter.ts';
import {
  nameOfTable,
  type NetfilterAct,
  type NetfilterBackend,
  type RuleTable,
} from '../../core/model/act-netfilter.ts';
import type { Query } from '../../core/model/query.ts';
import { bitten, momentOf } from '../../core/model/timeline.ts';
import type { Iptables } from './iptables.ts';
import { boottimeMs } from './libc.ts';
import type { Leftover } from './linux.ts';
import type { Nft } from './nft.ts';
import { expired, type RuleBackend } from './rule-backend.ts';
import { seenWhole } from './seen-whole.ts';

type CounterQuery = Extract<Query, { query: 'packetCounters' }>;

/** A table whose rules bite by a timeline, kept by this process. */
interface Running {
  startedMs: number;
  renewedMs: number;
  /** Who stands in the sets: the clock may be a moment ahead of it. */
  bitten: ReadonlySet<string>;
  /** Until when, by CLOCK_BOOTTIME; Infinity: for good. */
  nextMs: number;
  timer?: NodeJS.Timeout;
  /** Why it stands still. */
  failure?: Failure;
}

/** Packet rules of this network namespace, by whichever backend a table names. */
export class Netfilter {
  readonly #nft: Nft;
  readonly #iptables: Iptables;
  readonly #running = new Map<string, Running>();
  /** The last change of each table under way: a timer's and a caller's must not mix. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(nft: Nft, iptables: Iptables) {
    this.#nft = nft;
    this.#iptables = iptables;
  }

  async perform(act: NetfilterAct): Promise<void> {
    const table = act.act === 'netfilter.delete' ? act.table : act.rules.table;
    return this.#inTurn(table, () => {
      switch (act.act) {
        case 'netfilter.apply':
          return this.#apply(act.rules);
        case 'netfilter.refresh':
          return this.#refresh(act.rules);
        case 'netfilter.delete':
          return this.#delete(act.backend, act.table);
      }
    });
  }

  async holds(act: NetfilterAct): Promise<boolean> {
    if (act.act === 'netfilter.delete')
      return (await this.#of(act.backend).list(act.table)) === undefined;
    const { rules } = act;
    return this.#inTurn(rules.table, async () => {
      if (this.#running.get(rules.table)?.failure) return false;
      return this.#isThere(rules, this.#standing(rules));
    });
  }

  async packets(query: CounterQuery): Promise<Record<string, number>> {
    const listed = await this.#of(query.backend).list(query.table);
    return listed ? packetsOf(listed, query.peers) : {};
  }

  async leftovers(): Promise<Leftover[]> {
    return [...(await this.#nft.leftovers()), ...(await this.#iptables.leftovers())];
  }

  #of(backend: NetfilterBackend): RuleBackend {
    return backend === 'nft' ? this.#nft : this.#iptables;
  }

  #inTurn<T>(table: string, change: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(table) ?? Promise.resolve()).then(change, change);
    this.#turns.set(table, turn);
    const forget = (): void => {
      if (this.#turns.get(table) === turn) this.#turns.delete(table);
    };
    turn.then(forget, forget);
    return turn;
  }

  /** Who is bitten now, and until when. @param startedMs when the timeline began. */
  #phase(rules: RuleTable, startedMs: number): { bitten: Set<string>; nextMs: number } {
    const names = rules.peers.map((peer) => peer.name);
    const sinceMs = boottimeMs() - startedMs;
    const { nextMs } = momentOf(rules.timeline, sinceMs);
    return { bitten: bitten(rules.timeline, names, sinceMs), nextMs: startedMs + nextMs };
  }

  #standing(rules: RuleTable): ReadonlySet<string> {
    return this.#running.get(rules.table)?.bitten ?? new Set(rules.peers.map(({ name }) => name));
  }

  async #apply(rules: RuleTable): Promise<void> {
    const nowMs = boottimeMs();
    const startedMs = this.#running.get(rules.table)?.startedMs ?? nowMs;
    const phase = this.#phase(rules, startedMs);
    const now = phase.bitten;
    this.#stop(rules.table);
    if (rules.timeline) this.#running.set(rules.table, { startedMs, renewedMs: nowMs, ...phase });
    await this.#of(rules.backend).apply(rules, now);
    if (!(await this.#isThere(rules, now))) {
      const what = nameOfTable(rules.backend, rules.table);
      const message = `${what} is not there after its creation`;
      throw new Failure('rules-not-there', message, { definite: false });
    }
    this.#waitForNext(rules);
  }

  #isThere(rules: RuleTable, now: ReadonlySet<string>): Promise<boolean> {
    return seenWhole(async () => {
      const listed = await this.#of(rules.backend).list(rules.table);
      if (listed === undefined || rules.backend === 'iptables-plain') return listed !== undefined;
      return holdsAll(rules, listed, now);
    });
  }

  async #refresh(rules: RuleTable): Promise<void> {
    const running = this.#running.get(rules.table);
    if (running?.failure) throw running.failure;
    if (running && boottimeMs() - running.renewedMs >= rules.timeoutMs) throw expired(rules);
    await this.#of(rules.backend).refresh(rules, this.#standing(rules));
    if (running) running.renewedMs = boottimeMs();
  }

  async #delete(backend: NetfilterBackend, table: string): Promise<void> {
    this.#stop(table);
    await this.#of(backend).delete(table);
  }

  #stop(table: string): void {
    clearTimeout(this.#running.get(table)?.timer);
    this.#running.delete(table);
  }

  /** Sets the timer of the next change of the table's timeline, if it has one. */
  #waitForNext(rules: RuleTable): void {
    const running = this.#running.get(rules.table);
    if (!running) return;
    if (running.nextMs === Infinity) return;
    const turn = (): Promise<void> => this.#inTurn(rules.table, () => this.#next(rules, running));
    // A timer may be a little early: it must not find the moment before its own.
    const waitMs = Math.max(1, Math.ceil(running.nextMs - boottimeMs()) + 1);
    running.timer = setTimeout(() => void turn(), Math.min(2 ** 30, waitMs)).unref();
  }

  async #next(rules: RuleTable, running: Running): Promise<void> {
    if (this.#running.get(rules.table) !== running) return;
    try {
      // Whoever slept longer than the kernel's own timeout must not bring back what had ended.
      if (boottimeMs() - running.renewedMs >= rules.timeoutMs) throw expired(rules);
      Object.assign(running, this.#phase(rules, running.startedMs));
      await this.#of(rules.backend).bite(rules, running.bitten);
      this.#waitForNext(rules);
    } catch (error) {
      running.failure =
        error instanceof Failure
          ? error
          : new Failure('timeline', reasonOf(error), { definite: false, cause: error });
    }
  }
}
