import { Failure } from '../../src/core/base/failure.ts';
import type { ProxyAct, ProxyOrders } from '../../src/core/model/act-proxy.ts';
import type { PacketProbe } from '../../src/core/model/fault.ts';
import { NO_PROXY, type ProxyAnswer } from '../../src/core/model/query-proxy.ts';
import type { Leftover } from '../../src/host/linux/linux.ts';

interface FakeProxy {
  orders: ProxyOrders;
  expiresAtMs: number;
  connections: number;
}

/** The proxies of a pretended machine: each ends by itself, and takes the connections of its ports. */
export class FakeProxies {
  readonly #now: () => number;
  readonly #effect: (says: string, change: () => unknown) => void;
  readonly #proxies = new Map<string, FakeProxy>();

  constructor(now: () => number, effect: (says: string, change: () => unknown) => void) {
    this.#now = now;
    this.#effect = effect;
  }

  reboot(): void {
    this.#proxies.clear();
  }

  snapshot(): string[] {
    return [...this.#living().keys()].sort();
  }

  perform(act: ProxyAct): void {
    switch (act.act) {
      case 'kafka.proxy':
        return this.#effect(`kafka.proxy ${act.token}`, () => {
          const expiresAtMs = this.#now() + act.orders.timeoutMs;
          const connections = this.#living().get(act.token)?.connections ?? 0;
          this.#proxies.set(act.token, { orders: act.orders, expiresAtMs, connections });
        });
      case 'kafka.proxy.refresh': {
        const proxy = this.#living().get(act.token);
        if (!proxy)
          throw new Failure('expired', `proxy ${act.token} has ended`, { definite: true });
        return this.#effect(`kafka.proxy.refresh ${act.token}`, () => {
          proxy.expiresAtMs = this.#now() + proxy.orders.timeoutMs;
        });
      }
      case 'kafka.proxy.stop':
        return this.#effect(`kafka.proxy.stop ${act.token}`, () => this.#proxies.delete(act.token));
    }
  }

  holds(act: ProxyAct): boolean {
    return this.#living().has(act.token) === (act.act !== 'kafka.proxy.stop');
  }

  probe({ protocol, port }: PacketProbe): void {
    for (const proxy of this.#living().values()) {
      const taken = protocol === 'tcp' && proxy.orders.redirect.ports.includes(port);
      if (taken) proxy.connections++;
    }
  }

  answer(token: string): ProxyAnswer {
    const proxy = this.#living().get(token);
    if (!proxy) return NO_PROXY;
    const rules = proxy.orders.rules.map(() => ({ matched: 0, hits: 0 }));
    return { ...NO_PROXY, running: true, connections: proxy.connections, rules };
  }

  leftovers(): Leftover[] {
    return [...this.#living().keys()].map((token) => ({
      says: `Kafka proxy ${token}`,
      remove: { act: 'kafka.proxy.stop', token, backend: 'nft' },
    }));
  }

  #living(): Map<string, FakeProxy> {
    for (const [token, proxy] of this.#proxies) {
      if (this.#now() >= proxy.expiresAtMs) this.#proxies.delete(token);
    }
    return this.#proxies;
  }
}
