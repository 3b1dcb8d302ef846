import { unreachable } from '../../src/core/base/assert.ts';
import { Failure } from '../../src/core/base/failure.ts';
import { isDiskAct } from '../../src/core/model/act-disk.ts';
import type { Act, Ending, Signal } from '../../src/core/model/act.ts';
import { NEEDS, type Capability, type Need, type Probe } from '../../src/core/model/fault.ts';
import { matchesProcess } from '../../src/core/model/process-facts.ts';
import type { ProcessMatch, ProcessRef } from '../../src/core/model/process-match.ts';
import { isDiskQuery } from '../../src/core/model/query-disk.ts';
import type { Answer, AnswerTo, Query } from '../../src/core/model/query.ts';
import type { Leftover, Linux } from '../../src/host/linux/linux.ts';
import { FakeNetfilter } from './fake-netfilter.ts';
import { FakeDns } from './fake-dns.ts';
import { FakePackets } from './fake-packets.ts';
import { FakeShaping } from './fake-shaping.ts';
import { FakeDisk } from './fake-disk.ts';
import { FakeProxies } from './fake-proxies.ts';

/** The machine's agent died in the middle of something: nothing after this is reached. */
export class FakeCrash extends Error {
  override name = 'FakeCrash';
}

/** What happens at the k-th effect (counted from 1, reading counts for nothing). */
export interface FakeTrouble {
  at: number;
  /** 'refuse': a definite Failure; 'lose': done, but a Failure that is not definite. */
  how: 'refuse' | 'lose' | 'crash-before' | 'crash-after';
}

interface FakeProcess {
  ref: ProcessRef;
  argv: string[];
  state: string;
  service?: string;
  forbidden?: string;
  /** It obeys a SIGTERM, but not while anybody looks. */
  slow?: boolean;
}

interface Pulse {
  processes: ProcessRef[];
  onMs: number;
  offMs: number;
  sinceMs: number;
}

interface Burner {
  workers: number;
  sharePerMille: number;
  sinceMs: number;
  timeoutMs: number;
  expiresAtMs: number;
}

/**
 * A machine in memory, in virtual time, with the same interface and the same manners as the real
 * one (test/conformance/linux-suite.ts holds both to that). Able to fail or crash at any effect.
 */
export class FakeLinux implements Linux {
  /** Virtual CLOCK_BOOTTIME, ms. Give a function to share a clock with others. */
  now: () => number;
  cpuCount = 2;
  /** Needs that are not met here. */
  unmet = new Set<Need>();
  /** Addresses that answer no probe: the rule that drops them counts nothing. */
  silent = new Set<string>();
  trouble: FakeTrouble | undefined;
  /** Effects so far, in words. */
  readonly effects: string[] = [];
  /** Called around every effect: a journal's fake can count in the same line. */
  onEffect: ((says: string, when: 'before' | 'after') => void) | undefined;

  readonly disk: FakeDisk;
  readonly proxies: FakeProxies;
  #virtualMs = 1_000_000;
  #crashed = false;
  #bootId = 'boot-1';
  #nextPid = 100;
  #processes: FakeProcess[] = [];
  #services = new Map<string, { argv: string[]; startable: boolean; slow: boolean }>();
  /** Of faults that told something to end. */
  readonly #notes = new Set<string>();
  readonly #netfilter = new FakeNetfilter(() => this.now());
  readonly #packets = new FakePackets({
    now: () => this.now(),
    effect: (says, change) => this.#effect(says, change),
  });
  readonly #shaping = new FakeShaping({
    now: () => this.now(),
    effect: (says, change) => this.#effect(says, change),
  });
  readonly dns = new FakeDns({
    now: () => this.now(),
    effect: (says, change) => this.#effect(says, change),
  });
  #pulses = new Map<string, Pulse>();
  /** How many connections each fault has ended: one a peer. */
  readonly #destroyed = new Map<string, number>();
  #burners = new Map<string, Burner>();

  constructor(now?: () => number) {
    this.now = now ?? (() => this.#virtualMs);
    this.disk = new FakeDisk(
      () => this.now(),
      (says, change) => this.#effect(says, change),
      (process) => this.#find(process) !== undefined,
    );
    this.proxies = new FakeProxies(
      () => this.now(),
      (says, change) => this.#effect(says, change),
    );
    this.addProcess(['/sbin/init'], { forbidden: 'pid 1' });
  }

  /** Virtual time passes (only of the machine's own clock). */
  advance(ms: number): void {
    this.#virtualMs += ms;
  }

  addProcess(
    argv: string[],
    options: Omit<FakeProcess, 'ref' | 'argv' | 'state'> = {},
  ): ProcessRef {
    const pid = this.#processes.length === 0 ? 1 : this.#nextPid++;
    const ref = {
      bootId: this.#bootId,
      pidNamespace: 4_026_531_836,
      pid,
      birthTicks: Math.floor(this.now() / 10),
    };
    this.#processes.push({ ref, argv, state: 'S', ...options });
    return ref;
  }

  /** A service of the agent's configuration, running. */
  addService(
    name: string,
    argv: string[],
    options: { startable?: boolean; slow?: boolean } = {},
  ): ProcessRef {
    const { startable = true, slow = false } = options;
    this.#services.set(name, { argv, startable, slow });
    return this.addProcess(argv, { service: name, slow });
  }

  /** The agent is started again on the same machine after a crash. */
  restart(): void {
    this.#crashed = false;
    this.trouble = undefined;
  }

  /** The whole machine is started again: nothing volatile is left, services run again. */
  reboot(): void {
    this.restart();
    this.#bootId = `boot-${Number(this.#bootId.slice(5)) + 1}`;
    this.#netfilter.clear();
    this.#packets.reset();
    this.#shaping.reset();
    this.dns.reset();
    this.#pulses.clear();
    this.#notes.clear();
    this.#burners.clear();
    this.disk.reboot();
    this.proxies.reboot();
    this.#processes = [];
    this.addProcess(['/sbin/init'], { forbidden: 'pid 1' });
    for (const [name, service] of this.#services) {
      this.addProcess(service.argv, { service: name, slow: service.slow });
    }
  }

  bootId(): string {
    return this.#bootId;
  }

  /** All that faults could have changed; pids are left out, because a restart changes them. */
  snapshot(): unknown {
    this.#burnerOf('');
    return {
      processes: this.#processes
        .map((process) => `${process.argv.join(' ')} ${this.#stateOf(process)}`)
        .sort(),
      tables: this.#netfilter.names(),
      packets: this.#packets.snapshot(),
      shaped: this.#shaping.snapshot(),
      dns: this.dns.names(),
      pulses: [...this.#pulses.keys()].sort(),
      burners: [...this.#burners.keys()].sort(),
      notes: [...this.#notes].sort(),
      disk: this.disk.snapshot(),
      proxies: this.proxies.snapshot(),
    };
  }

  /** Addresses this machine drops at this moment. */
  dropped(): string[] {
    return this.#netfilter.bitten();
  }

  async perform(act: Act): Promise<void> {
    this.#alive();
    switch (act.act) {
      case 'noop':
        return this.#effect('noop', () => {});
      case 'dns.answer':
      case 'dns.refresh':
      case 'dns.stop':
        return this.dns.perform(act);
      case 'kafka.proxy':
      case 'kafka.proxy.refresh':
      case 'kafka.proxy.stop':
        return this.proxies.perform(act);
      case 'netfilter.apply':
        return this.#effect(`${act.act} ${act.rules.table}`, () =>
          this.#netfilter.apply(act.rules),
        );
      case 'netfilter.refresh':
        if (!this.#netfilter.check(act.rules)) return;
        return this.#effect(`${act.act} ${act.rules.table}`, () =>
          this.#netfilter.refresh(act.rules),
        );
      case 'netfilter.delete':
        return this.#effect(`${act.act} ${act.table}`, () => this.#netfilter.delete(act.table));
      case 'packets.steer':
      case 'packets.refresh':
      case 'packets.release':
        return this.#packets.perform(act);
      case 'shaping.apply':
      case 'shaping.refresh':
      case 'shaping.release':
        return this.#shaping.perform(act);
      case 'process.signal':
        if (act.note !== undefined) this.#notes.add(act.note);
        for (const ref of act.processes) this.#signal(ref, act.signal);
        return;
      case 'process.pulse':
        return this.#effect(`process.pulse ${act.token}`, () => {
          this.#pulses.set(act.token, { ...act, sinceMs: this.now() });
        });
      case 'process.pulse.stop':
        this.#effect(`process.pulse.stop ${act.token}`, () => this.#pulses.delete(act.token));
        for (const ref of act.processes) this.#signal(ref, 'SIGCONT');
        return;
      case 'sockets.destroy':
        return this.#effect(`${act.act} ${act.token}`, () => {
          this.#destroyed.set(act.token, act.choice.peers.length);
        });
      case 'service.start':
        return this.#startService(act.service, act.ending);
      case 'cpu.burn':
        return this.#effect(`cpu.burn ${act.token}`, () => {
          const sinceMs = this.#burners.get(act.token)?.sinceMs ?? this.now();
          const expiresAtMs = this.now() + act.timeoutMs;
          this.#burners.set(act.token, { ...act, sinceMs, expiresAtMs });
        });
      case 'cpu.burn.refresh':
        return this.#refreshBurner(act.token);
      case 'cpu.burn.stop':
        return this.#effect(`cpu.burn.stop ${act.token}`, () => this.#burners.delete(act.token));
      case 'cgroup.delete':
        // This machine lets nobody make a control group.
        return;
      default:
        if (isDiskAct(act)) return this.disk.perform(act);
        return unreachable(act);
    }
  }

  async holds(act: Act): Promise<boolean> {
    this.#alive();
    switch (act.act) {
      case 'noop':
      case 'sockets.destroy':
        return true;
      case 'dns.answer':
      case 'dns.refresh':
      case 'dns.stop':
        return this.dns.holds(act);
      case 'kafka.proxy':
      case 'kafka.proxy.refresh':
      case 'kafka.proxy.stop':
        return this.proxies.holds(act);
      case 'netfilter.apply':
      case 'netfilter.refresh':
      case 'netfilter.delete':
        return this.#netfilter.holds(act);
      case 'packets.steer':
      case 'packets.refresh':
      case 'packets.release':
        return this.#packets.holds(act);
      case 'shaping.apply':
      case 'shaping.refresh':
      case 'shaping.release':
        return this.#shaping.holds(act);
      case 'process.signal':
        return act.processes.every((ref) => {
          const state = this.#find(ref) ? this.#stateOf(this.#find(ref) as FakeProcess) : 'gone';
          if (act.signal === 'SIGSTOP') return state === 'T';
          return act.signal === 'SIGCONT' ? state !== 'T' : state === 'gone';
        });
      case 'process.pulse':
        return this.#pulses.has(act.token);
      case 'process.pulse.stop':
        return !this.#pulses.has(act.token);
      case 'service.start':
        return this.#running(act.service).length > 0;
      case 'cpu.burn':
      case 'cpu.burn.refresh':
        return this.#burnerOf(act.token) !== undefined;
      case 'cpu.burn.stop':
        return this.#burnerOf(act.token) === undefined;
      case 'cgroup.delete':
        return true;
      default:
        if (isDiskAct(act)) return this.disk.holds(act);
        return unreachable(act);
    }
  }

  async ask<Q extends Query>(query: Q): Promise<AnswerTo<Q>> {
    this.#alive();
    return this.#answer(query) as AnswerTo<Q>;
  }

  async probe(probes: readonly Probe[]): Promise<void> {
    this.#alive();
    for (const probe of probes) {
      // Somebody always uses a pretended disk.
      if ('disk' in probe) continue;
      this.proxies.probe(probe);
      this.#shaping.count(probe.address);
      this.dns.count(probe);
      if (this.silent.has(probe.address)) continue;
      this.#netfilter.count(probe.address);
      this.#packets.answer(probe.address);
    }
  }

  async needs(): Promise<Capability[]> {
    this.#alive();
    return NEEDS.map((need) => {
      const met = !this.unmet.has(need);
      return { need, met, why: met ? 'in memory' : 'taken away by the test' };
    });
  }

  async leftovers(): Promise<Leftover[]> {
    this.#alive();
    const burners = [...this.#burners.keys()].map((token) => ({
      says: `CPU burner ${token}`,
      remove: { act: 'cpu.burn.stop' as const, token },
    }));
    return [
      ...this.#netfilter.leftovers(),
      ...this.#packets.leftovers(),
      ...this.#shaping.leftovers(),
      ...this.dns.leftovers(),
      ...burners,
      ...this.disk.leftovers(),
      ...this.proxies.leftovers(),
    ];
  }

  #alive(): void {
    if (this.#crashed) throw new FakeCrash('the agent is dead');
  }

  /** One change of the machine: counted, and the place where trouble strikes. */
  #effect(says: string, change: () => unknown): void {
    this.#alive();
    this.onEffect?.(says, 'before');
    this.effects.push(says);
    const how = this.trouble?.at === this.effects.length ? this.trouble.how : undefined;
    if (how === 'crash-before') this.#crash(says);
    if (how === 'refuse') throw new Failure('fake-refused', `refused: ${says}`, { definite: true });
    change();
    if (how === 'crash-after') this.#crash(says);
    if (how === 'lose') throw new Failure('fake-lost', `lost: ${says}`, { definite: false });
    this.onEffect?.(says, 'after');
  }

  /** The agent's own timers die with it: a pulse stays in the phase it was in. */
  #crash(says: string): never {
    for (const process of this.#processes) process.state = this.#stateOf(process);
    this.#pulses.clear();
    this.#crashed = true;
    throw new FakeCrash(`crashed at: ${says}`);
  }

  /** Burners whose time is over end by themselves. */
  #burnerOf(token: string): Burner | undefined {
    for (const [name, burner] of this.#burners) {
      if (this.now() >= burner.expiresAtMs) this.#burners.delete(name);
    }
    return this.#burners.get(token);
  }

  #refreshBurner(token: string): void {
    const burner = this.#burnerOf(token);
    if (!burner) throw new Failure('expired', `burner ${token} has ended`, { definite: true });
    this.#effect(`cpu.burn.refresh ${token}`, () => {
      burner.expiresAtMs = this.now() + burner.timeoutMs;
    });
  }

  #find(ref: ProcessRef): FakeProcess | undefined {
    return this.#processes.find(
      (process) =>
        process.ref.pid === ref.pid &&
        process.ref.bootId === ref.bootId &&
        process.ref.pidNamespace === ref.pidNamespace &&
        process.ref.birthTicks === ref.birthTicks,
    );
  }

  #signal(ref: ProcessRef, signal: Signal): void {
    const process = this.#find(ref);
    if (!process) return;
    if (process.forbidden !== undefined) {
      throw new Failure('process-forbidden', process.forbidden, { definite: true });
    }
    this.#effect(`${signal} ${ref.pid}`, () => {
      if (signal === 'SIGSTOP') process.state = 'T';
      else if (signal === 'SIGCONT') process.state = 'S';
      else if (signal === 'SIGTERM' && process.slow === true) return;
      else this.#processes = this.#processes.filter((other) => other !== process);
    });
  }

  #startService(name: string, ending: Ending | undefined): void {
    const told = ending !== undefined && this.#notes.has(ending.note);
    if (told) for (const ref of ending.processes) this.#signal(ref, 'SIGKILL');
    this.#startUnlessRunning(name);
    if (ending !== undefined) this.#notes.delete(ending.note);
  }

  #startUnlessRunning(name: string): void {
    const service = this.#services.get(name);
    if (!service?.startable) {
      throw new Failure('service-not-startable', `service '${name}'`, { definite: true });
    }
    if (this.#running(name).length > 0) return;
    this.#effect(`service.start ${name}`, () => {
      this.addProcess(service.argv, { service: name });
    });
  }

  #running(service: string): ProcessRef[] {
    return this.#processes.filter((p) => p.service === service).map((p) => p.ref);
  }

  #stateOf(process: FakeProcess): string {
    for (const pulse of this.#pulses.values()) {
      if (!pulse.processes.some((ref) => ref.pid === process.ref.pid)) continue;
      const phase = (this.now() - pulse.sinceMs) % (pulse.onMs + pulse.offMs);
      return phase < pulse.onMs ? 'T' : 'S';
    }
    return process.state;
  }

  #answer(query: Query): Answer {
    switch (query.query) {
      case 'processes':
        return { query: 'processes', processes: this.#matching(query.match) };
      case 'processStates':
        return {
          query: 'processStates',
          states: query.processes.map((ref) => {
            const process = this.#find(ref);
            return process ? this.#stateOf(process) : 'gone';
          }),
        };
      case 'service': {
        const service = this.#services.get(query.service);
        return {
          query: 'service',
          known: service !== undefined,
          startable: service?.startable === true,
          running: this.#running(query.service),
        };
      }
      case 'steeredPackets':
        return this.#packets.counts(query.token);
      case 'packetCounters':
        return {
          query: 'packetCounters',
          packets: {
            ...this.#netfilter.packets(query.table),
            ...this.dns.packets(query.table),
            ...this.#shaping.packets(query.table),
          },
        };
      case 'egress':
        return this.#shaping.egress(query.addresses);
      case 'proxyCounts':
        return this.proxies.answer(query.token);
      case 'resolvers':
        return { query: 'resolvers', addresses: this.dns.resolvers };
      case 'destroyedSockets':
        return { query: 'destroyedSockets', count: this.#destroyed.get(query.token) ?? 0 };
      case 'cpuCount':
        return { query: 'cpuCount', count: this.cpuCount };
      case 'burnerCpuMs': {
        const burner = this.#burnerOf(query.token);
        const ranMs = burner ? this.now() - burner.sinceMs + 1 : 0;
        const cpuMs = burner ? (ranMs * burner.workers * burner.sharePerMille) / 1000 : 0;
        return { query: 'burnerCpuMs', cpuMs, running: burner ? 1 : 0 };
      }
      default:
        if (isDiskQuery(query)) return this.disk.answer(query);
        return unreachable(query);
    }
  }

  #matching(match: ProcessMatch): Extract<Answer, { query: 'processes' }>['processes'] {
    return this.#processes
      .filter((process) => match.service === undefined || process.service === match.service)
      .filter((process) => matchesProcess(match, { ...process, pid: process.ref.pid }, {}))
      .map((process) => {
        const found = {
          process: process.ref,
          commandLine: process.argv.join(' '),
          state: this.#stateOf(process),
        };
        return process.forbidden === undefined ? found : { ...found, forbidden: process.forbidden };
      });
  }
}
