import { Failure } from '../../src/core/base/failure.ts';
import type { DnsAct } from '../../src/core/model/act-dns.ts';
import type { PacketProbe } from '../../src/core/model/fault.ts';
import type { Leftover } from '../../src/host/linux/linux.ts';
import type { FakeGround } from './fake-packets.ts';

interface Responder {
  expiresAtMs: number;
  timeoutMs: number;
  queries: number;
}

/** DNS responders of a pretended machine. */
export class FakeDns {
  readonly resolvers = ['198.18.0.253'];
  readonly #ground: FakeGround;
  readonly #responders = new Map<string, Responder>();

  constructor(ground: FakeGround) {
    this.#ground = ground;
  }

  reset(): void {
    this.#responders.clear();
  }

  /** Those that live: they end by themselves. */
  names(): string[] {
    for (const [token, { expiresAtMs }] of this.#responders)
      if (this.#ground.now() >= expiresAtMs) this.#responders.delete(token);
    return [...this.#responders.keys()].sort();
  }

  perform(act: DnsAct): void {
    const { now, effect } = this.#ground;
    if (act.act === 'dns.answer') {
      const { table, timeoutMs } = act.orders;
      const responder = { expiresAtMs: now() + timeoutMs, timeoutMs, queries: 0 };
      return effect(`dns.answer ${table}`, () => this.#responders.set(table, responder));
    }
    if (act.act === 'dns.stop')
      return effect(`dns.stop ${act.token}`, () => this.#responders.delete(act.token));
    const responder = this.names().includes(act.token) && this.#responders.get(act.token);
    if (!responder) throw new Failure('expired', `${act.token} has ended`, { definite: true });
    return effect(`dns.refresh ${act.token}`, () => {
      responder.expiresAtMs = now() + responder.timeoutMs;
    });
  }

  holds(act: DnsAct): boolean {
    const token = act.act === 'dns.answer' ? act.orders.table : act.token;
    return this.names().includes(token) === (act.act !== 'dns.stop');
  }

  count({ address, port }: PacketProbe): void {
    if (port !== 53 || !this.resolvers.includes(address)) return;
    for (const token of this.names()) {
      const responder = this.#responders.get(token);
      if (responder) responder.queries += 1;
    }
  }

  packets(token: string): Record<string, number> {
    const responder = this.#responders.get(token);
    return responder ? { dns: responder.queries } : {};
  }

  leftovers(): Leftover[] {
    return this.names().map((token) => ({
      says: `DNS responder ${token}`,
      remove: { act: 'dns.stop', token, backend: 'nft' },
    }));
  }
}
