import { Failure } from '../../core/base/failure.ts';
import {
  familiesOf,
  portsSet,
  writePorts,
  writePortsRefresh,
  writeRedirectChain,
} from '../../core/codec/iptables-redirect.ts';
import { isHooked } from '../../core/codec/iptables.ts';
import {
  writeRedirectRefresh,
  writeRedirectStop,
  writeRedirectTable,
} from '../../core/codec/nft-redirect.ts';
import type { RedirectBackend, Redirection } from '../../core/model/redirection.ts';
import type { Iptables } from './iptables.ts';
import { boottimeMs } from './libc.ts';
import type { Nft } from './nft.ts';
import type { RuleBackend } from './rule-backend.ts';

/** Beside the orders of a process that redirects: what the agent was told to call. */
export interface Through {
  /** 'iptables-nft' or 'iptables-legacy', not to take the one that is called 'iptables'. */
  iptables?: string;
}

/** What sends connections and queries to processes of ours, in the network namespace of this process. */
export class Redirects {
  readonly #nft: Nft;
  readonly #iptables: Iptables;
  /** Before the last time that entries of ipset were given theirs. */
  #renewedMs = -Infinity;

  constructor(nft: Nft, iptables: Iptables) {
    this.#nft = nft;
    this.#iptables = iptables;
  }

  #of(backend: RedirectBackend): RuleBackend {
    return backend === 'iptables' ? this.#iptables : this.#nft;
  }

  /** In place of what is there by that name. @param to the process's port. @throws Failure */
  async make(redirection: Redirection, to: number): Promise<void> {
    if (redirection.backend !== 'iptables')
      return this.#nft.change(writeRedirectTable(redirection, to));
    const saved = await this.#iptables.saveBoth();
    this.#renewedMs = boottimeMs();
    await this.#iptables.ipset(writePorts(redirection));
    for (const family of familiesOf(redirection)) {
      const missing = !isHooked(redirection.table, saved[family === 4 ? 0 : 1] ?? '');
      await this.#iptables.restore(family, writeRedirectChain(redirection, family, to, missing));
    }
  }

  /**
   * For the process that made them. What has ended must not come back: not what the kernel has expired,
   * and not what somebody took away. @throws Failure
   */
  async renew(redirection: Redirection): Promise<void> {
    if (redirection.backend !== 'iptables')
      return this.#nft.change(writeRedirectRefresh(redirection));
    const nowMs = boottimeMs();
    // ipset would add an expired entry anew, and asking first would be another program to start.
    if (nowMs - this.#renewedMs >= redirection.timeoutMs)
      throw new Failure('expired', `the kernel has expired ${portsSet(redirection.table)}`, {
        definite: true,
      });
    await this.#iptables.ipset(writePortsRefresh(redirection));
    this.#renewedMs = nowMs;
  }

  /** What is new passes the process by; what runs through it stays with it. @throws Failure without rules. */
  async stop(backend: RedirectBackend, table: string): Promise<void> {
    if (backend !== 'iptables') return this.#nft.change(writeRedirectStop(table));
    await this.#iptables.ipset(`flush ${portsSet(table)}\n`);
  }

  /** Only once no connection runs through a proxy any more: see writeRedirectStop. */
  async remove(backend: RedirectBackend, table: string): Promise<void> {
    await this.#of(backend).delete(table);
  }

  /** Which backend's rules a process has; nft, where it has none yet. */
  async backendOf(table: string): Promise<RedirectBackend> {
    return (await this.#iptables.list(table)) === undefined ? 'nft' : 'iptables';
  }

  /** Ports that are redirected at this moment; undefined where there are no such rules. */
  async ports(backend: RedirectBackend, table: string): Promise<string[] | undefined> {
    const listed = await this.#of(backend).list(table);
    return listed && (listed.addresses['ports'] ?? []);
  }
}
