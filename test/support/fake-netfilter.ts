import { Failure } from '../../src/core/base/failure.ts';
import {
  nameOfTable,
  type NetfilterAct,
  type RuleTable,
} from '../../src/core/model/act-netfilter.ts';
import { bitten } from '../../src/core/model/timeline.ts';
import type { Leftover } from '../../src/host/linux/linux.ts';

interface FakeTable {
  rules: RuleTable;
  startedMs: number;
  expiresAtMs: number;
  packets: Record<string, number>;
}

/** Packet rules in memory, in virtual time. */
export class FakeNetfilter {
  readonly #now: () => number;
  readonly #tables = new Map<string, FakeTable>();

  constructor(now: () => number) {
    this.#now = now;
  }

  clear(): void {
    this.#tables.clear();
  }

  names(): string[] {
    return [...this.#tables.keys()].sort();
  }

  apply(rules: RuleTable): void {
    const startedMs = this.#tables.get(rules.table)?.startedMs ?? this.#now();
    const expiresAtMs =
      rules.backend === 'iptables-plain' ? Infinity : this.#now() + rules.timeoutMs;
    const packets = Object.fromEntries(rules.peers.map((peer) => [peer.name, 0]));
    this.#tables.set(rules.table, { rules, startedMs, expiresAtMs, packets });
  }

  /** Whether there is something to refresh. @throws Failure 'expired' */
  check({ table }: RuleTable): boolean {
    const found = this.#tables.get(table);
    if (!found || this.#now() < found.expiresAtMs) return found !== undefined;
    throw new Failure('expired', `table ${table} has expired`, { definite: true });
  }

  refresh({ table, timeoutMs, backend }: RuleTable): void {
    const found = this.#tables.get(table);
    if (found && backend !== 'iptables-plain') found.expiresAtMs = this.#now() + timeoutMs;
  }

  delete(table: string): void {
    this.#tables.delete(table);
  }

  holds(act: NetfilterAct): boolean {
    if (act.act === 'netfilter.delete') return !this.#tables.has(act.table);
    return this.#now() < (this.#tables.get(act.rules.table)?.expiresAtMs ?? 0);
  }

  packets(table: string): Record<string, number> {
    return { ...this.#tables.get(table)?.packets };
  }

  /** Addresses that rules meet at this moment. */
  bitten(): string[] {
    const addresses = [...this.#tables.values()].flatMap((table) => this.#addressesOf(table));
    return [...new Set(addresses)].sort();
  }

  /** A packet of this address has come in. */
  count(address: string): void {
    for (const table of this.#tables.values()) {
      if (!this.#addressesOf(table).includes(address)) continue;
      const peer = table.rules.peers.find((p) => [...p.ipv4, ...p.ipv6].includes(address));
      if (peer) table.packets[peer.name] = (table.packets[peer.name] ?? 0) + 1;
    }
  }

  leftovers(): Leftover[] {
    return [...this.#tables].map(([table, { rules }]) => ({
      says: nameOfTable(rules.backend, table),
      faultId: rules.faultId,
      remove: { act: 'netfilter.delete', backend: rules.backend, table },
    }));
  }

  #addressesOf({ rules, startedMs, expiresAtMs }: FakeTable): string[] {
    if (this.#now() >= expiresAtMs) return [];
    const names = rules.peers.map(({ name }) => name);
    const now = bitten(rules.timeline, names, this.#now() - startedMs);
    return rules.peers
      .filter(({ name }) => now.has(name))
      .flatMap((peer) => [...peer.ipv4, ...peer.ipv6]);
  }
}
