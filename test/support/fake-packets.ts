import { Failure } from '../../src/core/base/failure.ts';
import type { PacketAct } from '../../src/core/model/act-packets.ts';
import { NO_PACKETS, type PacketCounts } from '../../src/core/model/query-packets.ts';
import type { Leftover } from '../../src/host/linux/linux.ts';

type Steer = Extract<PacketAct, { act: 'packets.steer' }>;

interface Steered {
  act: Steer;
  expiresAtMs: number;
  packets: Record<string, number>;
}

/** What FakeLinux gives: its time, and its way of making a change. */
export interface FakeGround {
  now(): number;
  effect(says: string, change: () => unknown): void;
}

/** Packet processes of a pretended machine. */
export class FakePackets {
  readonly #ground: FakeGround;
  readonly #steered = new Map<string, Steered>();

  constructor(ground: FakeGround) {
    this.#ground = ground;
  }

  reset(): void {
    this.#steered.clear();
  }

  snapshot(): string[] {
    return [...this.#steered.keys()].sort();
  }

  perform(act: PacketAct): void {
    const { now, effect } = this.#ground;
    switch (act.act) {
      case 'packets.steer':
        return effect(`packets.steer ${act.steer.table}`, () => {
          const packets = Object.fromEntries(act.steer.peers.map((peer) => [peer.name, 0]));
          const expiresAtMs = now() + act.steer.timeoutMs;
          this.#steered.set(act.steer.table, { act, expiresAtMs, packets });
        });
      case 'packets.refresh':
        return this.#refresh(act.steer.table);
      case 'packets.release':
        return effect(`packets.release ${act.token}`, () => this.#steered.delete(act.token));
    }
  }

  #refresh(table: string): void {
    const steered = this.#steered.get(table);
    if (!steered) return;
    if (this.#ground.now() >= steered.expiresAtMs) {
      throw new Failure('expired', `table ${table} has expired`, { definite: true });
    }
    this.#ground.effect(`packets.refresh ${table}`, () => {
      steered.expiresAtMs = this.#ground.now() + steered.act.steer.timeoutMs;
    });
  }

  #lives(table: string): boolean {
    return this.#ground.now() < (this.#steered.get(table)?.expiresAtMs ?? 0);
  }

  holds(act: PacketAct): boolean {
    if (act.act === 'packets.release') return !this.#steered.has(act.token);
    return this.#lives(act.steer.table);
  }

  /** A probe's answer comes in. */
  answer(address: string): void {
    for (const [table, { act, packets }] of this.#steered) {
      if (!this.#lives(table)) continue;
      const peer = act.steer.peers.find((each) => [...each.ipv4, ...each.ipv6].includes(address));
      if (peer) packets[peer.name] = (packets[peer.name] ?? 0) + 1;
    }
  }

  counts(token: string): PacketCounts {
    const steered = this.#steered.get(token);
    if (!steered) return NO_PACKETS;
    const seen = Object.values(steered.packets).reduce((sum, each) => sum + each, 0);
    return {
      ...NO_PACKETS,
      running: this.#lives(token),
      steered: { ...steered.packets },
      seen,
      delayed: steered.act.shape.delay ? seen : 0,
    };
  }

  leftovers(): Leftover[] {
    return [...this.#steered].map(([token, { act }]) => ({
      says: `packet process ${token}`,
      faultId: act.steer.faultId,
      remove: { act: 'packets.release', token },
    }));
  }
}
