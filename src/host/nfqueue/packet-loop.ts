import { ACCEPT, DROP } from '../../core/codec/nfqueue.ts';
import { Random } from '../../core/base/random.ts';
import { damage } from '../../core/network/damage.ts';
import { Decider, keepsOrder } from '../../core/network/decide.ts';
import { PeerTable } from '../../core/network/peer-table.ts';
import { RateLimit } from '../../core/network/rate.ts';
import { ReleaseQueue } from '../../core/network/release-queue.ts';
import type { PacketShape } from '../../core/model/packet-shape.ts';
import { COUNT, type Counters } from './counters.ts';
import { DuplicateSocket } from './duplicate-socket.ts';
import { PacketQueue } from './packet-queue.ts';

/** What a packet process is to do. */
export interface PacketWork {
  queue: number;
  shape: PacketShape;
  /** 32 bits: the same seed decides alike for the same sequence of packets. */
  seed: number;
  /** Addresses of each peer, in the order of the rules: a rate is each peer's own. */
  peers: string[][];
  /** Default: by what may be merged. */
  room?: Room;
}

/** What may wait; what comes then passes as if there were no fault, and is counted. */
interface Room {
  /** In the kernel and not yet read: merged packets have up to 64 KiB, others seldom over 9. */
  unread: number;
  /** Held. */
  packets: number;
  bytes: number;
}

/** A stall of a third of a second at 50,000 a second; a gigabyte, were all of them merged ones. */
const MERGED: Room = { unread: 16_384, packets: 100_000, bytes: 256 * 1024 * 1024 };
const SINGLE: Room = { ...MERGED, unread: 65_536 };
/** For the kernel to say how long the packet is. */
const LENGTH_BYTES = 4;
/** Enough for the addresses of either family. */
const ADDRESS_BYTES = 40;
const WHOLE_BYTES = 65_535;

function copyBytesOf(shape: PacketShape): number {
  if (shape.duplicate || shape.corrupt) return WHOLE_BYTES;
  if (shape.rate) return ADDRESS_BYTES;
  return shape.delay || shape.reorder ? LENGTH_BYTES : 0;
}

/** Merged packets only where they are only late: a loss is the loss of one real packet. */
function takesMerged({ loss, duplicate, corrupt, reorder, rate }: PacketShape): boolean {
  return !loss && !duplicate && !corrupt && !reorder && !rate;
}

/** Holds, drops, doubles, damages and releases packets until it is told to stop. */
export class PacketLoop {
  readonly #shape: PacketShape;
  readonly #counters: Counters;
  readonly #queue: PacketQueue;
  readonly #decider: Decider;
  readonly #waiting = new ReleaseQueue();
  /** Verdicts may stand for all packets before: all of those are due. */
  readonly #inOrder: boolean;
  readonly #rate: RateLimit | undefined;
  readonly #peers: PeerTable;
  readonly #copies: DuplicateSocket | undefined;
  readonly #damage: Random;
  readonly #room: Room;
  /** How many the kernel lets wait: those held, and the unread. */
  #length: number;
  #lastId = 0;
  /** The newest packet that passes at once with all before it; -1: none. */
  #passed = -1;

  /** @param standIn a socket in place of the kernel's queue. @throws QueueTaken; Error. */
  constructor(work: PacketWork, counters: Counters, standIn?: number) {
    const { shape, queue, seed, peers } = work;
    this.#shape = shape;
    this.#counters = counters;
    this.#decider = new Decider(shape, seed);
    this.#inOrder = keepsOrder(shape) && (!shape.rate || peers.length === 1);
    this.#damage = new Random(seed).fork('damage');
    this.#peers = new PeerTable(peers);
    this.#rate = shape.rate && new RateLimit(shape.rate, peers.length + 1);
    this.#copies = shape.duplicate && new DuplicateSocket();
    this.#room = work.room ?? (takesMerged(shape) ? MERGED : SINGLE);
    this.#length = this.#room.unread;
    const options = { queue, copyBytes: copyBytesOf(shape), merged: takesMerged(shape) };
    this.#queue = new PacketQueue({ ...options, length: this.#length }, standIn);
  }

  run(): void {
    const { stop } = COUNT;
    while (this.#counters[stop] === 0) this.turn();
    this.#release(Infinity);
    this.close();
  }

  close(): void {
    this.#queue.close();
    this.#copies?.close();
  }

  /** Waits for packets, takes them, and lets pass what is due. */
  turn(): void {
    const waitMs = this.#waiting.nextDue - performance.now();
    const count = this.#queue.receive(waitMs);
    const now = performance.now();
    for (let index = 0; index < count; index++) {
      if (this.#queue.packet(index)) this.#take(now);
    }
    this.#release(performance.now());
    this.#makeRoom();
    this.#counters[COUNT.held] = this.#waiting.size;
  }

  #add(counter: number, by = 1): void {
    this.#counters[counter] = (this.#counters[counter] ?? 0) + by;
  }

  /** One packet, which the queue's reader has read. */
  #take(now: number): void {
    const { reader } = this.#queue;
    const { id } = reader;
    this.#add(COUNT.seen);
    const missed = (id - this.#lastId - 1) >>> 0;
    // Numbers go up by one, and begin again at 0 after 2^32.
    if (missed > 0 && missed < 0x8000_0000) this.#add(COUNT.untouched, missed);
    this.#lastId = id;
    const decider = this.#decider;
    decider.next();
    if (decider.drop) return this.#drop(id, COUNT.dropped);
    let waitMs = decider.delayUs / 1000;
    if (this.#rate) {
      const limited = this.#rate.waitUs(this.#peer(), reader.length, now * 1000);
      if (limited < 0) return this.#drop(id, COUNT.overLimit);
      waitMs += limited / 1000;
    }
    if (decider.duplicate) this.#copy();
    if (decider.held) this.#add(COUNT.reordered);
    if (decider.corrupt && this.#corrupted(id)) return;
    if (waitMs > 0 && this.#isFull(reader.length)) {
      this.#add(COUNT.untouched);
      this.#queue.verdict(id, ACCEPT, false);
    } else if (waitMs > 0) {
      this.#add(COUNT.delayed);
      this.#waiting.push(now + waitMs, id, reader.length);
    } else if (this.#inOrder && this.#waiting.size === 0) this.#passed = id;
    else this.#queue.verdict(id, ACCEPT, false);
  }

  #isFull(bytes: number): boolean {
    const { size, bytes: held } = this.#waiting;
    return size >= this.#room.packets || held + bytes > this.#room.bytes;
  }

  /** What is held takes nothing from the room of what comes. In steps: it costs a call. */
  #makeRoom(): void {
    const { unread } = this.#room;
    const length = this.#waiting.size + unread;
    if (Math.abs(length - this.#length) * 2 < unread) return;
    this.#length = length;
    this.#queue.setLength(length);
  }

  #drop(id: number, counter: number): void {
    this.#add(counter);
    this.#queue.verdict(id, DROP, false);
  }

  #peer(): number {
    return this.#peers.of(this.#queue.bytes, this.#queue.reader.payloadAt);
  }

  #payload(): Buffer {
    const { payloadAt, payloadBytes } = this.#queue.reader;
    return this.#queue.bytes.subarray(payloadAt, payloadAt + payloadBytes);
  }

  #copy(): void {
    if (this.#copies?.send(this.#payload()) === true) this.#add(COUNT.duplicated);
  }

  /** @returns whether the packet was damaged, and passed. One without a payload is not. */
  #corrupted(id: number): boolean {
    const { corrupt } = this.#shape;
    const packet = this.#payload();
    const remade = corrupt?.checksum === 'remade';
    if (!damage(packet, packet.length, this.#damage, corrupt?.bytes ?? 1, remade)) return false;
    this.#add(COUNT.corrupted);
    this.#queue.accept(id, packet);
    return true;
  }

  /** Lets everything pass that is due. */
  #release(now: number): void {
    const waiting = this.#waiting;
    let last = this.#passed;
    while (waiting.size > 0 && waiting.nextDue <= now) {
      const id = waiting.pop();
      if (this.#inOrder) last = id;
      else this.#queue.verdict(id, ACCEPT, false);
    }
    if (last >= 0) this.#queue.verdict(last, ACCEPT, true);
    this.#passed = -1;
    this.#queue.flush();
  }
}
