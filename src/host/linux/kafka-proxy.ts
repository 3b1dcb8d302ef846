import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { ProxyAct, ProxyOrders } from '../../core/model/act-proxy.ts';
import { NO_PROXY, type ProxyAnswer, type ProxyCounts } from '../../core/model/query-proxy.ts';
import { Redirect } from '../kafka-proxy/redirect.ts';
import type { Leftover } from './linux.ts';
import { seeProcesses, sendSignal, waitFor, type SeenProcess } from './processes.ts';

const PROXY = join(import.meta.dirname, '..', '..', 'bin', 'kafka-proxy.ts');
const TOKEN = /^faultline-[0-9a-z]{1,32}$/;
const START_MS = 20_000;
const READS = 20;

/** The token in a proxy's arguments; undefined where the process is none. */
function tokenOf(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((part) => part.endsWith('/src/bin/kafka-proxy.ts'));
  const [flag, token = ''] = argv.slice(at + 1);
  return at > 0 && flag === '--token' && TOKEN.test(token) ? token : undefined;
}

const proxies = (token: string): SeenProcess[] =>
  seeProcesses().filter((seen) => tokenOf(seen.argv) === token);

const isGone = (state: string): boolean => ['gone', 'Z', 'X'].includes(state);

/** Proxies of this node: each a process of its own, found by its token. */
export class KafkaProxies {
  readonly #redirect = new Redirect();

  async perform(act: ProxyAct): Promise<void> {
    switch (act.act) {
      case 'kafka.proxy':
        if (!(await this.holds(act))) await this.#start(act.token, act.orders);
        return;
      case 'kafka.proxy.refresh':
        return refresh(act.token);
      case 'kafka.proxy.stop':
        return this.#stop(act.token);
    }
  }

  async holds(act: ProxyAct): Promise<boolean> {
    const runs = proxies(act.token).length > 0;
    if (act.act === 'kafka.proxy.refresh') return runs;
    const exists = await this.#redirect.exists(act.token);
    return act.act === 'kafka.proxy' ? runs && exists : !runs && !exists;
  }

  leftovers(): Leftover[] {
    const tokens = new Set(seeProcesses().flatMap(({ argv }) => tokenOf(argv) ?? []));
    return [...tokens].map((token) => ({
      says: `Kafka proxy ${token}`,
      remove: { act: 'kafka.proxy.stop', token },
    }));
  }

  async #start(token: string, orders: ProxyOrders): Promise<void> {
    // What is left of one that died half-way.
    await this.#stop(token);
    const counts = openCounts(token);
    const flags = ['--disable-warning=ExperimentalWarning', PROXY, '--token', token];
    const child = spawn(process.execPath, flags, {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore', counts],
      cwd: '/',
      env: { PATH: process.env['PATH'] },
    });
    closeSync(counts);
    try {
      child.stdin?.on('error', () => undefined); // It ended: its exit says why.
      child.stdin?.end(JSON.stringify(orders));
      await ready(child);
    } catch (error) {
      await this.#stop(token);
      throw error;
    }
    child.stdout?.destroy();
    child.unref();
  }

  async #stop(token: string): Promise<void> {
    await this.#redirect.remove(token);
    const running = proxies(token).map(({ ref }) => ref);
    for (const ref of running) sendSignal(ref, 'SIGTERM');
    try {
      await waitFor(running, isGone, 'SIGTERM');
    } catch {
      // It hangs, or is stopped: it holds nothing that a kill would not free.
      for (const ref of running) sendSignal(ref, 'SIGKILL');
      await waitFor(running, isGone, 'SIGKILL');
    }
    // One that was about to make its table when it was killed.
    await this.#redirect.remove(token);
  }
}

/** A file without a name, for the proxy to write its counters to: nothing is left of it. */
function openCounts(token: string): number {
  const path = join(tmpdir(), `${token}-${process.pid}.counts`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

/** @throws Failure 'proxy-not-started' with what it said. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer);
      const message = `the Kafka proxy did not start: ${reason}`;
      reject(new Failure('proxy-not-started', message, { definite: false }));
    };
    const timer = setTimeout(() => fail(`it said nothing for ${START_MS} ms`), START_MS);
    child.once('error', (error) => fail(reasonOf(error)));
    child.once('exit', (code) => fail(`it ended with ${code}`));
    if (child.stdout === null) return fail('it has no output');
    createInterface({ input: child.stdout }).once('line', (line) => {
      const said = JSON.parse(line) as { ready: boolean; reason?: string };
      if (!said.ready) return fail(said.reason ?? 'it did not say why');
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Renews the proxy's own timeout, by SIGCONT: one that comes too early harms nobody. */
function refresh(token: string): void {
  const running = proxies(token).filter(({ ref }) => sendSignal(ref, 'SIGCONT'));
  if (running.length > 0) return;
  throw new Failure('expired', `the Kafka proxy ${token} has ended by itself`, { definite: true });
}

/** What a proxy has counted, from the nameless file it holds open. */
export function proxyCounts(token: string): ProxyAnswer {
  const [proxy] = proxies(token);
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
