import { availableParallelism } from 'node:os';
import { unreachable } from '../../core/base/assert.ts';
import type { Act } from '../../core/model/act.ts';
import { isDiskAct } from '../../core/model/act-disk.ts';
import type { Service } from '../../core/model/agent-config.ts';
import type { Capability, Probe } from '../../core/model/fault.ts';
import type { ProcessMatch } from '../../core/model/process-match.ts';
import { isDiskQuery } from '../../core/model/query-disk.ts';
import type { Answer, AnswerTo, Query } from '../../core/model/query.ts';
import {
  burnerCpu,
  burnerIsGone,
  burnerLeftovers,
  burnerRuns,
  groupLeftovers,
  refreshBurner,
  startBurner,
  stopBurner,
} from './burner.ts';
import { groupExists, removeGroups } from './control-groups.ts';
import { DnsResponders, resolversHere } from './dns-responders.ts';
import { answerDisk, diskHolds, diskLeftovers, performDisk } from './disk-mounts.ts';
import { KafkaProxies, proxyCounts } from './kafka-proxy.ts';
import { Iptables } from './iptables.ts';
import { EndingNotes } from './ending-notes.ts';
import type { Leftover, Linux } from './linux.ts';
import { tryNeeds } from './needs.ts';
import { Netfilter } from './netfilter.ts';
import { Nft } from './nft.ts';
import { sendProbes } from './probes.ts';
import { ENDED, forbiddenBy, signalAll, stateOf } from './processes.ts';
import { Pulses } from './pulse.ts';
import { Redirects } from './redirects.ts';
import { Services } from './services.ts';
import { Shaping } from './shaping.ts';
import { Sockets } from './sockets.ts';
import { Steering } from './steering.ts';

export interface RealLinuxOptions {
  /** The services of the agent's configuration, DEFAULT_SERVICES included. */
  services: Readonly<Record<string, Service>>;
  /** A directory of ours for small files that live for a moment; best on a tmpfs. */
  scratchDir: string;
  /** The agent's own, whose file system is never filled. */
  stateDirectory?: string;
  /** 'iptables-nft' or 'iptables-legacy', not to take the one that is called 'iptables'. */
  iptables?: string;
}

/**
 * This machine, as far as the namespaces of this process show it. Everything that is ever done to it
 * is in perform(); everything that is asked of it in #answer().
 */
export class RealLinux implements Linux {
  readonly #options: RealLinuxOptions;
  readonly #nft: Nft;
  readonly #proxies: KafkaProxies;
  readonly #netfilter: Netfilter;
  readonly #notes: EndingNotes;
  readonly #steering: Steering;
  readonly #shaping: Shaping;
  readonly #pulses = new Pulses();
  readonly #responders: DnsResponders;
  readonly #services: Services;
  readonly #sockets = new Sockets();

  constructor(options: RealLinuxOptions) {
    this.#options = options;
    this.#nft = new Nft(options.scratchDir);
    this.#steering = new Steering(this.#nft);
    this.#shaping = new Shaping(this.#nft, options.scratchDir);
    const iptables = new Iptables(options.scratchDir, options.iptables);
    this.#netfilter = new Netfilter(this.#nft, iptables);
    const redirects = new Redirects(this.#nft, iptables);
    const through = options.iptables === undefined ? {} : { iptables: options.iptables };
    this.#proxies = new KafkaProxies(redirects, through);
    this.#responders = new DnsResponders(redirects, through);
    this.#notes = new EndingNotes(options.scratchDir);
    this.#services = new Services(options.services, this.#notes);
  }

  async perform(act: Act): Promise<void> {
    switch (act.act) {
      case 'noop':
        return;
      case 'dns.answer':
      case 'dns.refresh':
      case 'dns.stop':
        return this.#responders.perform(act);
      case 'kafka.proxy':
      case 'kafka.proxy.refresh':
      case 'kafka.proxy.stop':
        return this.#proxies.perform(act);
      case 'netfilter.apply':
      case 'netfilter.refresh':
      case 'netfilter.delete':
        return this.#netfilter.perform(act);
      case 'packets.steer':
      case 'packets.refresh':
      case 'packets.release':
        return this.#steering.perform(act);
      case 'process.signal':
        if (act.note !== undefined) this.#notes.leave(act.note);
        return signalAll(act.processes, act.signal);
      case 'process.pulse':
        return this.#pulses.start(act.token, act.processes, act.onMs, act.offMs);
      case 'process.pulse.stop':
        return this.#pulses.stop(act.token, act.processes);
      case 'shaping.apply':
      case 'shaping.refresh':
      case 'shaping.release':
        return this.#shaping.perform(act);
      case 'sockets.destroy':
        return this.#sockets.destroy(act);
      case 'service.start':
        return this.#services.start(act.service, act.ending);
      case 'cpu.burn':
        return startBurner(act);
      case 'cpu.burn.refresh':
        return refreshBurner(act.token);
      case 'cpu.burn.stop':
        return stopBurner(act.token);
      case 'cgroup.delete':
        return removeGroups(act.group);
      default:
        if (isDiskAct(act)) return performDisk(act);
        return unreachable(act);
    }
  }

  async holds(act: Act): Promise<boolean> {
    switch (act.act) {
      case 'noop':
      // It has happened; new connections are nobody's business.
      case 'sockets.destroy':
        return true;
      case 'dns.answer':
      case 'dns.refresh':
      case 'dns.stop':
        return this.#responders.holds(act);
      case 'kafka.proxy':
      case 'kafka.proxy.refresh':
      case 'kafka.proxy.stop':
        return this.#proxies.holds(act);
      case 'netfilter.apply':
      case 'netfilter.refresh':
      case 'netfilter.delete':
        return this.#netfilter.holds(act);
      case 'packets.steer':
      case 'packets.refresh':
      case 'packets.release':
        return this.#steering.holds(act);
      case 'process.signal':
        return act.processes.every((ref) => isAfter(act.signal, stateOf(ref)));
      case 'process.pulse':
        return this.#pulses.runs(act.token);
      case 'process.pulse.stop':
        return !this.#pulses.runs(act.token);
      case 'shaping.apply':
      case 'shaping.refresh':
      case 'shaping.release':
        return this.#shaping.holds(act);
      case 'service.start':
        return this.#services.find({ service: act.service }).length > 0;
      case 'cpu.burn':
        return burnerRuns(act.token, act.workers);
      case 'cpu.burn.refresh':
        return burnerRuns(act.token);
      case 'cpu.burn.stop':
        return burnerIsGone(act.token);
      case 'cgroup.delete':
        return !groupExists(act.group);
      default:
        if (isDiskAct(act)) return diskHolds(act);
        return unreachable(act);
    }
  }

  async ask<Q extends Query>(query: Q): Promise<AnswerTo<Q>> {
    return (await this.#answer(query)) as AnswerTo<Q>;
  }

  probe(probes: readonly Probe[]): Promise<void> {
    return sendProbes(probes);
  }

  needs(): Promise<Capability[]> {
    return tryNeeds(this.#options.scratchDir, this.#nft.through, this.#options.iptables);
  }

  async leftovers(): Promise<Leftover[]> {
    const proxies = await this.#proxies.leftovers();
    const ofNow = [...burnerLeftovers(), ...groupLeftovers(), ...proxies];
    const steered = this.#steering.leftovers();
    return [
      ...(await this.#responders.leftovers()),
      ...steered,
      ...(await this.#shaping.leftovers()),
      ...(await this.#netfilter.leftovers()),
      ...ofNow,
      ...(await diskLeftovers()),
    ];
  }

  async #answer(query: Query): Promise<Answer> {
    switch (query.query) {
      case 'processes':
        return { query: 'processes', processes: this.#matching(query.match) };
      case 'processStates':
        return { query: 'processStates', states: query.processes.map(stateOf) };
      case 'service': {
        const service = this.#services.named(query.service);
        const running = service ? this.#services.running(service).map((seen) => seen.ref) : [];
        const startable = service?.start !== undefined;
        return { query: 'service', known: service !== undefined, startable, running };
      }
      case 'proxyCounts':
        return proxyCounts(query.token);
      case 'steeredPackets':
        return this.#steering.counts(query.token);
      case 'egress':
        return this.#shaping.egress(query.addresses);
      case 'packetCounters':
        return { query: 'packetCounters', packets: await this.#netfilter.packets(query) };
      case 'resolvers':
        return { query: 'resolvers', addresses: resolversHere() };
      case 'destroyedSockets':
        return { query: 'destroyedSockets', count: this.#sockets.count(query.token) };
      case 'cpuCount':
        return { query: 'cpuCount', count: availableParallelism() };
      case 'burnerCpuMs':
        return { query: 'burnerCpuMs', ...burnerCpu(query.token) };
      default:
        if (isDiskQuery(query)) return answerDisk(query, this.#options.stateDirectory);
        return unreachable(query);
    }
  }

  #matching(match: ProcessMatch): Extract<Answer, { query: 'processes' }>['processes'] {
    const forbidden = forbiddenBy();
    return this.#services.find(match).map((seen) => {
      const found = {
        process: seen.ref,
        commandLine: seen.argv.join(' '),
        state: seen.stat.state,
      };
      const why = forbidden(seen);
      return why === undefined ? found : { ...found, forbidden: why };
    });
  }
}

/** Whether a process is in the state that a signal brings. */
function isAfter(signal: string, state: string): boolean {
  if (signal === 'SIGSTOP') return state === 'T' || state === 't';
  if (signal === 'SIGCONT') return state !== 'T';
  return ENDED.includes(state);
}
