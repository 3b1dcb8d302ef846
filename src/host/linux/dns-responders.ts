import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { readResolvers } from '../../core/codec/dns.ts';
import { RESPONDER_GROUP } from '../../core/codec/nft-dns.ts';
import type { DnsAct, DnsOrders } from '../../core/model/act-dns.ts';
import type { Leftover } from './linux.ts';
import type { Nft } from './nft.ts';
import { seeProcesses, sendSignal, waitFor, type SeenProcess } from './processes.ts';

const RESPONDER = join(import.meta.dirname, '..', '..', 'bin', 'dns-responder.ts');
const TOKEN = /^faultline-[0-9a-z]{1,32}$/;
const START_MS = 20_000;

/** The token in a responder's arguments; undefined where the process is none. */
function tokenOf(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((part) => part.endsWith('/src/bin/dns-responder.ts'));
  const [flag, token = ''] = argv.slice(at + 1);
  return at > 0 && flag === '--token' && TOKEN.test(token) ? token : undefined;
}

const responders = (token: string): SeenProcess[] =>
  seeProcesses().filter((seen) => tokenOf(seen.argv) === token);

const isGone = (state: string): boolean => ['gone', 'Z', 'X'].includes(state);

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

  constructor(nft: Nft) {
    this.#nft = nft;
  }

  async perform(act: DnsAct): Promise<void> {
    switch (act.act) {
      case 'dns.answer':
        if (!(await this.holds(act))) await this.#start(act.orders);
        return;
      case 'dns.refresh':
        return refresh(act.token);
      case 'dns.stop':
        return this.#stop(act.token);
    }
  }

  async holds(act: DnsAct): Promise<boolean> {
    const token = act.act === 'dns.answer' ? act.orders.table : act.token;
    const runs = responders(token).length > 0;
    if (act.act === 'dns.refresh') return runs;
    const listed = await this.#nft.list(token);
    if (act.act === 'dns.stop') return !runs && listed === undefined;
    return runs && (listed?.addresses['ports'] ?? []).length > 0;
  }

  leftovers(): Leftover[] {
    const tokens = new Set(seeProcesses().flatMap(({ argv }) => tokenOf(argv) ?? []));
    return [...tokens].map((token) => ({
      says: `DNS responder ${token}`,
      remove: { act: 'dns.stop', token },
    }));
  }

  async #start(orders: DnsOrders): Promise<void> {
    // What is left of one that died half-way.
    await this.#stop(orders.table);
    const flags = ['--disable-warning=ExperimentalWarning', RESPONDER, '--token', orders.table];
    const child = spawn(process.execPath, flags, {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: '/',
      env: { PATH: process.env['PATH'] },
      // By its group the kernel knows what it asks itself.
      gid: RESPONDER_GROUP,
    });
    try {
      child.stdin?.on('error', () => undefined); // It ended: its exit says why.
      child.stdin?.end(JSON.stringify(orders));
      await ready(child);
    } catch (error) {
      await this.#stop(orders.table);
      throw error;
    }
    child.stdout?.destroy();
    child.unref();
  }

  async #stop(token: string): Promise<void> {
    await this.#nft.delete(token);
    const running = responders(token).map(({ ref }) => ref);
    for (const ref of running) sendSignal(ref, 'SIGKILL');
    await waitFor(running, isGone, 'SIGKILL');
    // One that was about to make its table when it was killed.
    await this.#nft.delete(token);
  }
}

/** @throws Failure 'responder-not-started' with what it said. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer);
      const message = `the DNS responder did not start: ${reason}`;
      reject(new Failure('responder-not-started', message, { definite: false }));
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

/** Renews the responder's own timeout, by SIGCONT. */
function refresh(token: string): void {
  const running = responders(token).filter(({ ref }) => sendSignal(ref, 'SIGCONT'));
  if (running.length > 0) return;
  throw new Failure('expired', `the DNS responder ${token} has ended by itself`, {
    definite: true,
  });
}
