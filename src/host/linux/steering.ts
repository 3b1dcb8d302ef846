import { Failure } from '../../core/base/failure.ts';
import {
  HELD_CHAIN,
  readSteered,
  steersAll,
  writeHandOver,
  writeLetPass,
  writeListSets,
  writeSteerRefresh,
  writeSteerTable,
} from '../../core/codec/nft-steer.ts';
import { writeDelete } from '../../core/codec/nft.ts';
import type { PacketAct, SteerTable } from '../../core/model/act-packets.ts';
import { NO_PACKETS, type PacketCounts } from '../../core/model/query-packets.ts';
import { COUNT } from '../nfqueue/counters.ts';
import {
  endPackets,
  killPackets,
  packetProcess,
  packetProcesses,
  readCounters,
  renewPackets,
  startPackets,
} from '../nfqueue/process.ts';
import { addQueueRule } from '../nfqueue/queue-rule.ts';
import type { Leftover } from './linux.ts';
import { rejected, type Nft } from './nft.ts';
import { seenWhole } from './seen-whole.ts';
import { Starts, type Start } from './starts.ts';

const MISSING = 'No such file or directory';
/** Above ordinary threads, below those of the kernel. */
const PRIORITY = 10;

/** Packets through processes of ours: a table and a process for each fault. */
export class Steering {
  readonly #nft: Nft;
  readonly #starts = new Starts();

  constructor(nft: Nft) {
    this.#nft = nft;
  }

  async perform(act: PacketAct): Promise<void> {
    switch (act.act) {
      case 'packets.steer':
        return this.#starts.run(act.steer.table, (start) => this.#steer(start, act));
      case 'packets.refresh':
        return this.#refresh(act.steer);
      case 'packets.release':
        await this.#starts.giveUp(act.token, () => killPackets(act.token));
        return this.#release(act.token);
    }
  }

  async holds(act: PacketAct): Promise<boolean> {
    switch (act.act) {
      case 'packets.steer':
      case 'packets.refresh':
        return packetProcess(act.steer.table) !== undefined && (await this.#steers(act.steer));
      case 'packets.release':
        return packetProcess(act.token) === undefined && !(await this.#nft.exists(act.token));
    }
  }

  async counts(token: string): Promise<PacketCounts> {
    const counters = await readCounters(token);
    const steered = await this.#steered(token);
    if (!counters) return { ...NO_PACKETS, steered };
    const of = (name: keyof typeof COUNT): number => counters[COUNT[name]] ?? 0;
    return {
      query: 'steeredPackets',
      running: true,
      realtime: of('realtime') === 1,
      steered,
      seen: of('seen'),
      dropped: of('dropped'),
      delayed: of('delayed'),
      duplicated: of('duplicated'),
      corrupted: of('corrupted'),
      reordered: of('reordered'),
      overLimit: of('overLimit'),
      untouched: Math.max(of('untouched'), overload(steered, of('seen'))),
      held: of('held'),
    };
  }

  /** Processes; their tables are among those of nft. */
  leftovers(): Leftover[] {
    return packetProcesses().map(({ options }) => ({
      says: `packet process ${options.token}`,
      faultId: options.faultId,
      remove: { act: 'packets.release', token: options.token },
    }));
  }

  async #steer(
    start: Start,
    { steer, shape, seed }: Extract<PacketAct, { act: 'packets.steer' }>,
  ): Promise<void> {
    const queue = await startPackets(start, {
      token: steer.table,
      faultId: steer.faultId,
      shape,
      seed,
      peers: steer.peers.map((peer) => [...peer.ipv4, ...peer.ipv6]),
      timeoutMs: steer.timeoutMs,
      priority: PRIORITY,
    });
    start.check();
    const run = await this.#nft.run(writeSteerTable(steer), false);
    if (!run.ok) throw rejected(run);
    const own = await this.#nft.run(writeHandOver(steer.table, queue), false);
    const error = own.ok ? undefined : addQueueRule(steer.table, HELD_CHAIN, queue);
    if (error !== undefined) {
      const message = `packets can't be handed to a queue: ${error}`;
      throw new Failure('no-queue', message, { definite: false });
    }
    if (await this.#steers(steer)) return;
    throw new Failure('nft-not-there', `table ${steer.table} is not there after its creation`, {
      definite: false,
    });
  }

  /** The process first: one that is renewed and not steered to does nothing. */
  async #refresh(steer: SteerTable): Promise<void> {
    const renewed = renewPackets(steer.table);
    const run = await this.#nft.run(writeSteerRefresh(steer), false);
    if (!run.ok && !run.error.includes(MISSING)) throw rejected(run);
    if (run.ok && renewed) return;
    if (!run.ok && !(await this.#nft.exists(steer.table))) return;
    const what = renewed ? 'the kernel has expired elements of' : 'the process has ended of';
    throw new Failure('expired', `${what} ${steer.table}`, { definite: true });
  }

  async #release(token: string): Promise<void> {
    await this.#nft.run(writeLetPass(token), false);
    await endPackets(token);
    const run = await this.#nft.run(writeDelete(token), false);
    if (!run.ok) throw rejected(run);
  }

  #steers(steer: SteerTable): Promise<boolean> {
    return seenWhole(async () => {
      const run = await this.#nft.run(writeListSets(steer.table), true);
      return run.ok && steersAll(steer, run.output);
    });
  }

  /** By peer; nobody without the table. */
  async #steered(token: string): Promise<Record<string, number>> {
    const run = await this.#nft.run(writeListSets(token), true);
    return run.ok ? readSteered(token, run.output) : {};
  }
}

/** Steered and not seen: beyond what a queue holds, the kernel lets packets pass and counts nothing. */
function overload(steered: Readonly<Record<string, number>>, seen: number): number {
  const sum = Object.values(steered).reduce((total, packets) => total + packets, 0);
  // What is on its way to the process is not missing.
  return Math.max(0, sum - seen - 100);
}
