import { readFileSync } from 'node:fs';
import { readResolvers } from '../../core/codec/dns.ts';
import { RESPONDER_GROUP, type DnsAct, type DnsOrders } from '../../core/model/act-dns.ts';
import type { RedirectBackend } from '../../core/model/redirection.ts';
import type { Leftover } from './linux.ts';
import type { Redirects, Through } from './redirects.ts';
import { Starts, type Start } from './starts.ts';
import { ToldProcesses } from './told-process.ts';

const responders = new ToldProcesses({
  script: 'dns-responder.ts',
  name: 'DNS responder',
  notStarted: 'responder-not-started',
});

/** The nameservers this node asks. */
export function resolversHere(): string[] {
  try {
    return readResolvers(readFileSync('/etc/resolv.conf', 'utf8'));
  } catch {
    // Without that file there is none.
    return [];
  }
}

/** DNS responders of this node: each a process of its own, found by its token. */
export class DnsResponders {
  readonly #redirects: Redirects;
  readonly #through: Through;
  readonly #starts = new Starts();

  constructor(redirects: Redirects, through: Through) {
    this.#redirects = redirects;
    this.#through = through;
  }

  async perform(act: DnsAct): Promise<void> {
    switch (act.act) {
      case 'dns.answer':
        return this.#starts.run(act.orders.table, async (start) => {
          if (!(await this.holds(act))) await this.#start(start, act.orders);
        });
      case 'dns.refresh':
        return responders.renew(act.token);
      case 'dns.stop':
        await this.#starts.giveUp(act.token, () => responders.kill(act.token));
        return this.#stop(act.backend, act.token);
    }
  }

  async holds(act: DnsAct): Promise<boolean> {
    const token = act.act === 'dns.answer' ? act.orders.table : act.token;
    const runs = responders.running(token).length > 0;
    if (act.act === 'dns.refresh') return runs;
    const backend = act.act === 'dns.answer' ? act.orders.backend : act.backend;
    const ports = await this.#redirects.ports(backend, token);
    if (act.act === 'dns.stop') return !runs && ports === undefined;
    return runs && ports !== undefined && ports.length > 0;
  }

  leftovers(): Promise<Leftover[]> {
    return Promise.all(
      responders.tokens().map(async (token) => ({
        says: `DNS responder ${token}`,
        remove: { act: 'dns.stop', token, backend: await this.#redirects.backendOf(token) },
      })),
    );
  }

  async #start(start: Start, orders: DnsOrders): Promise<void> {
    const { backend, table } = orders;
    // What is left of one that died half-way.
    await this.#stop(backend, table);
    try {
      // By its group the kernel knows what it asks itself.
      const own = { gid: RESPONDER_GROUP };
      await responders.start(start, table, { ...orders, ...this.#through }, own);
    } catch (error) {
      await this.#stop(backend, table);
      throw error;
    }
  }

  async #stop(backend: RedirectBackend, token: string): Promise<void> {
    await this.#redirects.remove(backend, token);
    await responders.kill(token);
    // One that was about to make its rules when it was killed.
    await this.#redirects.remove(backend, token);
  }
}
