import { Failure } from '../../src/core/base/failure.ts';
import type { ShapeTable, ShapingAct } from '../../src/core/model/act-shaping.ts';
import type { EgressAnswer } from '../../src/core/model/query-shaping.ts';
import { stageOf } from '../../src/core/model/shape-stage.ts';
import type { Leftover } from '../../src/host/linux/linux.ts';
import type { FakeGround } from './fake-packets.ts';

interface Shaped {
  shaping: ShapeTable;
  expiresAtMs: number;
  packets: Record<string, number>;
}

/** Qdiscs of a pretended machine, whose one device is eth0. */
export class FakeShaping {
  readonly #ground: FakeGround;
  readonly #shaped = new Map<string, Shaped>();

  constructor(ground: FakeGround) {
    this.#ground = ground;
  }

  reset(): void {
    this.#shaped.clear();
  }

  snapshot(): string[] {
    return [...this.#shaped.keys()].sort();
  }

  perform(act: ShapingAct): void {
    const { now, effect } = this.#ground;
    switch (act.act) {
      case 'shaping.apply':
        return effect(`shaping.apply ${act.shaping.table}`, () => {
          const { shaping } = act;
          const packets = Object.fromEntries(shaping.peers.map((peer) => [peer.name, 0]));
          const expiresAtMs = now() + shaping.timeoutMs;
          this.#shaped.set(shaping.table, { shaping, expiresAtMs, packets });
        });
      case 'shaping.refresh':
        return this.#refresh(act.shaping.table);
      case 'shaping.release':
        return effect(`shaping.release ${act.token}`, () => this.#shaped.delete(act.token));
    }
  }

  #refresh(table: string): void {
    const shaped = this.#shaped.get(table);
    if (!shaped) return;
    if (!this.#lives(table)) {
      throw new Failure('expired', `table ${table} has expired`, { definite: true });
    }
    this.#ground.effect(`shaping.refresh ${table}`, () => {
      shaped.expiresAtMs = this.#ground.now() + shaped.shaping.timeoutMs;
    });
  }

  #lives(table: string): boolean {
    return this.#ground.now() < (this.#shaped.get(table)?.expiresAtMs ?? 0);
  }

  holds(act: ShapingAct): boolean {
    if (act.act === 'shaping.release') return !this.#shaped.has(act.token);
    return this.#lives(act.shaping.table);
  }

  /** A probe leaves. */
  count(address: string): void {
    for (const [table, { shaping, packets }] of this.#shaped) {
      const to = shaping.peers.find((peer) => [...peer.ipv4, ...peer.ipv6].includes(address));
      if (to && this.#lives(table)) packets[to.name] = (packets[to.name] ?? 0) + 1;
    }
  }

  packets(table: string): Record<string, number> {
    return this.#shaped.get(table)?.packets ?? {};
  }

  egress(addresses: readonly string[]): EgressAnswer {
    const shapers = [...this.#shaped.values()].map(({ shaping }) => {
      const peers = shaping.peers.map(({ name }) => name);
      return { faultId: shaping.faultId, sort: stageOf(shaping.shape).sort, peers };
    });
    const devices = Object.fromEntries(addresses.map((address) => [address, 'eth0']));
    return { query: 'egress', devices, foreign: {}, shapers };
  }

  leftovers(): Leftover[] {
    return [...this.#shaped].map(([token, { shaping }]) => ({
      says: `packets shaped by ${token}`,
      faultId: shaping.faultId,
      remove: { act: 'shaping.release', token },
    }));
  }
}
