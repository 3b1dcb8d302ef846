import { readFileSync } from 'node:fs';
import { readResolvers } from '../../core/codec/dns.ts';
import { RESPONDER_GROUP } from '../../core/codec/nft-dns.ts';
import type { DnsAct, DnsOrders } from '../../core/model/act-dns.ts';
import type { Leftover } from './linux.ts';
import type { Nft } from './nft.ts';
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
  readonly #nft: Nft;
  readonly #starts = new Starts();

  constructor(nft: Nft) {
    this.#nft = nft;
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
        return this.#stop(act.token);
    }
  }

  async holds(act: DnsAct): Promise<boolean> {
    const token = act.act === 'dns.answer' ? act.orders.table : act.token;
    const runs = responders.running(token).length > 0;
    if (act.act === 'dns.refresh') return runs;
    const listed = await this.#nft.list(token);
    if (act.act === 'dns.stop') return !runs && listed === undefined;
    return runs && (listed?.addresses['ports'] ?? []).length > 0;
  }

  leftovers(): Leftover[] {
    return responders.tokens().map((token) => ({
      says: `DNS responder ${token}`,
      remove: { act: 'dns.stop', token },
    }));
  }

  async #start(start: Start, orders: DnsOrders): Promise<void> {
    // What is left of one that died half-way.
    await this.#stop(orders.table);
    try {
      // By its group the kernel knows what it asks itself.
      await responders.start(start, orders.table, orders, { gid: RESPONDER_GROUP });
    } catch (error) {
      await this.#stop(orders.table);
      throw error;
    }
  }

  async #stop(token: string): Promise<void> {
    await this.#nft.delete(token);
    await responders.kill(token);
    // One that was about to make its table when it was killed.
    await this.#nft.delete(token);
  }
}
