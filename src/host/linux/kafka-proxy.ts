import { closeSync, openSync, readFileSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProxyAct, ProxyOrders } from '../../core/model/act-proxy.ts';
import type { RedirectBackend } from '../../core/model/redirection.ts';
import { NO_PROXY, type ProxyAnswer, type ProxyCounts } from '../../core/model/query-proxy.ts';
import type { Leftover } from './linux.ts';
import type { Redirects, Through } from './redirects.ts';
import { Starts, type Start } from './starts.ts';
import { ToldProcesses } from './told-process.ts';

const READS = 20;

const proxies = new ToldProcesses({
  script: 'kafka-proxy.ts',
  name: 'Kafka proxy',
  notStarted: 'proxy-not-started',
});

/** Proxies of this node: each a process of its own, found by its token. */
export class KafkaProxies {
  readonly #redirects: Redirects;
  readonly #through: Through;
  readonly #starts = new Starts();

  constructor(redirects: Redirects, through: Through) {
    this.#redirects = redirects;
    this.#through = through;
  }

  async perform(act: ProxyAct): Promise<void> {
    switch (act.act) {
      case 'kafka.proxy':
        return this.#starts.run(act.token, async (start) => {
          if (!(await this.holds(act))) await this.#start(start, act.token, act.orders);
        });
      case 'kafka.proxy.refresh':
        return proxies.renew(act.token);
      case 'kafka.proxy.stop':
        await this.#starts.giveUp(act.token, () => proxies.kill(act.token));
        return this.#stop(act.backend, act.token);
    }
  }

  async holds(act: ProxyAct): Promise<boolean> {
    const runs = proxies.running(act.token).length > 0;
    if (act.act === 'kafka.proxy.refresh') return runs;
    const backend = act.act === 'kafka.proxy' ? act.orders.redirect.backend : act.backend;
    const exists = (await this.#redirects.ports(backend, act.token)) !== undefined;
    return act.act === 'kafka.proxy' ? runs && exists : !runs && !exists;
  }

  leftovers(): Promise<Leftover[]> {
    return Promise.all(
      proxies.tokens().map(async (token) => ({
        says: `Kafka proxy ${token}`,
        remove: { act: 'kafka.proxy.stop', token, backend: await this.#redirects.backendOf(token) },
      })),
    );
  }

  async #start(start: Start, token: string, orders: ProxyOrders): Promise<void> {
    // What is left of one that died half-way.
    const { backend } = orders.redirect;
    await this.#stop(backend, token);
    const counts = openCounts(token);
    try {
      await proxies.start(start, token, { ...orders, ...this.#through }, { descriptors: [counts] });
    } catch (error) {
      await this.#stop(backend, token);
      throw error;
    } finally {
      closeSync(counts);
    }
  }

  /** The rules go last, so that the clients of the proxy hear of its end. */
  async #stop(backend: RedirectBackend, token: string): Promise<void> {
    try {
      await this.#redirects.stop(backend, token);
    } catch {
      // There are no rules. Were it something else, removing them would fail, too.
    }
    await proxies.end(token);
    await this.#redirects.remove(backend, token);
  }
}

/** A file without a name, for the proxy to write its counters to: nothing is left of it. */
function openCounts(token: string): number {
  const path = join(tmpdir(), `${token}-${process.pid}.counts`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

/** What a proxy has counted, from the nameless file it holds open. */
export function proxyCounts(token: string): ProxyAnswer {
  const [proxy] = proxies.running(token);
  if (proxy === undefined) return NO_PROXY;
  for (let read = 0; read < READS; read++) {
    try {
      const text = readFileSync(`/proc/${proxy.ref.pid}/fd/3`, 'utf8');
      return {
        ...(JSON.parse(text) as ProxyCounts),
        query: 'proxyCounts',
        running: true,
      };
    } catch {
      // It was being written, or the proxy has ended: read again, a few times.
    }
  }
  return { ...NO_PROXY, running: true };
}
