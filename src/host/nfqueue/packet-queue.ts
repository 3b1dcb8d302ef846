import {
  PacketReader,
  VERDICT_BYTES,
  writeBind,
  writeChanged,
  writeLength,
  writeVerdict,
  type QueueOptions,
} from '../../core/codec/nfqueue.ts';
import {
  addressOf,
  EAGAIN,
  EINTR,
  lastErrno,
  libc,
  MSG_DONTWAIT,
  MSG_WAITFORONE,
  openNetfilter,
} from './libc.ts';
import { limitReceive, request } from './request.ts';

const BATCH = 128;
/** Attributes beside the payload. */
const SLOT_EXTRA = 512;
const MESSAGE_HEADER = 64;
const VERDICTS = 512;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_NO_ENOBUFS = 5;
const RECEIVE_BUFFER = 64 * 1024 * 1024;
/** How long a read without an end in sight blocks: how late an order to stop may be seen. */
const IDLE_MS = 100;
const POLLIN = 1;

/** A queue number that another process is bound to. */
export class QueueTaken extends Error {
  override name = 'QueueTaken';
}

/**
 * One NFQUEUE, read and answered in batches with buffers that are made once. Everything blocks: it
 * lives in a thread of its own.
 */
export class PacketQueue {
  /** Where read() has put the packet that was asked for. */
  readonly reader: PacketReader;
  /** All slots. */
  readonly bytes: Buffer;
  readonly #options: QueueOptions;
  readonly #fd: number;
  readonly #slot: number;
  readonly #messages: Buffer;
  readonly #messagesAddress: number;
  readonly #lengths: Int32Array;
  readonly #verdicts: DataView;
  readonly #verdictsAddress: number;
  readonly #poll: Buffer;
  readonly #pollAddress: number;
  readonly #timeWords: Int32Array;
  readonly #timeAddress: number;
  // Everything an address was taken of.
  readonly #kept: Buffer[] = [];
  #pending = 0;
  #changed: Uint8Array | undefined;

  /**
   * Binds. @param standIn a socket that packets' messages come from in place of the kernel's queue.
   * @throws QueueTaken; Error with the errno's name.
   */
  constructor(options: QueueOptions, standIn?: number) {
    this.#options = options;
    this.#fd = standIn ?? openNetfilter();
    this.#slot = Math.ceil((options.copyBytes + SLOT_EXTRA) / 64) * 64;
    this.bytes = Buffer.alloc(this.#slot * BATCH);
    this.reader = new PacketReader(
      new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length),
    );
    this.#messages = this.#messageHeaders();
    this.#messagesAddress = addressOf(this.#messages);
    this.#lengths = new Int32Array(
      this.#messages.buffer,
      this.#messages.byteOffset,
      this.#messages.length / 4,
    );
    const verdicts = this.#keep(VERDICTS * VERDICT_BYTES);
    this.#verdicts = new DataView(verdicts.buffer, verdicts.byteOffset, verdicts.length);
    this.#verdictsAddress = addressOf(verdicts);
    this.#poll = this.#keep(8);
    this.#poll.writeInt32LE(this.#fd, 0);
    this.#poll.writeInt16LE(POLLIN, 4);
    this.#pollAddress = addressOf(this.#poll);
    const time = this.#keep(16);
    this.#timeWords = new Int32Array(time.buffer, time.byteOffset, 4);
    this.#timeAddress = addressOf(time);
    if (standIn === undefined) this.#bind();
    limitReceive(this.#fd, IDLE_MS);
  }

  #keep(size: number): Buffer {
    const buffer = Buffer.alloc(size);
    this.#kept.push(buffer);
    return buffer;
  }

  /** An array of mmsghdr (recvmmsg(2)), each with one iovec: its slot. */
  #messageHeaders(): Buffer {
    const iovecs = this.#keep(16 * BATCH);
    const messages = this.#keep(MESSAGE_HEADER * BATCH);
    const slots = addressOf(this.bytes);
    const iovecsAddress = addressOf(iovecs);
    for (let index = 0; index < BATCH; index++) {
      iovecs.writeBigUInt64LE(BigInt(slots + index * this.#slot), index * 16);
      iovecs.writeBigUInt64LE(BigInt(this.#slot), index * 16 + 8);
      messages.writeBigUInt64LE(BigInt(iovecsAddress + index * 16), index * MESSAGE_HEADER + 16);
      messages.writeBigUInt64LE(1n, index * MESSAGE_HEADER + 24);
    }
    return messages;
  }

  #bind(): void {
    const value = Buffer.alloc(4);
    value.writeInt32LE(RECEIVE_BUFFER);
    libc.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, addressOf(value), 4);
    value.writeInt32LE(1);
    libc.setsockopt(this.#fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, addressOf(value), 4);
    limitReceive(this.#fd, 2_000);
    for (const [index, message] of writeBind(this.#options).entries()) {
      const error = request(this.#fd, message, index + 1);
      if (error === undefined) continue;
      libc.close(this.#fd);
      const reason = `queue ${this.#options.queue}: ${error}`;
      throw error === 'EPERM' || error === 'EBUSY' ? new QueueTaken(reason) : new Error(reason);
    }
  }

  /**
   * Waits for packets, and takes what is there.
   * @param waitMs how long to wait at most; Infinity: an eternity of 100 ms.
   * @returns how many there are, for packet().
   */
  receive(waitMs: number): number {
    let flags = MSG_WAITFORONE;
    if (waitMs < IDLE_MS) {
      if (!this.#readable(waitMs)) return 0;
      flags = MSG_DONTWAIT;
    }
    const count = libc.recvmmsg(this.#fd, this.#messagesAddress, BATCH, flags, 0);
    if (count >= 0) return count;
    const errno = lastErrno();
    if (errno === EAGAIN || errno === EINTR) return 0;
    throw new Error(`recvmmsg: errno ${errno}`);
  }

  #readable(waitMs: number): boolean {
    if (waitMs <= 0) return true;
    // Below a second: the other words of the timespec stay 0.
    this.#timeWords[2] = Math.max(1, Math.round(waitMs * 1e6));
    return libc.ppoll(this.#pollAddress, 1, this.#timeAddress, 0) > 0;
  }

  /** Reads the packet at `index` of those received into `reader`. @returns false for anything else. */
  packet(index: number): boolean {
    const bytes = this.#lengths[(index * MESSAGE_HEADER + 56) / 4] ?? 0;
    const at = index * this.#slot;
    return this.#options.copyBytes === 0
      ? this.reader.readId(at, bytes)
      : this.reader.read(at, bytes);
  }

  /** Notes a verdict; sent with flush(), or when there are many. */
  verdict(id: number, verdict: number, upTo: boolean): void {
    const at = this.#pending * VERDICT_BYTES;
    writeVerdict(this.#verdicts, at, this.#options.queue, id, verdict, upTo);
    if (++this.#pending === VERDICTS) this.flush();
  }

  flush(): void {
    if (this.#pending === 0) return;
    const length = this.#pending * VERDICT_BYTES;
    this.#pending = 0;
    libc.send(this.#fd, this.#verdictsAddress, length, 0);
  }

  /** Lets a packet pass with other bytes, at once. */
  accept(id: number, payload: Uint8Array): void {
    this.#changed ??= Buffer.alloc(65_536 + 64);
    const length = writeChanged(this.#changed, this.#options.queue, id, payload);
    libc.send(this.#fd, addressOf(this.#changed), length, 0);
  }

  /** So many packets may wait in the kernel from now on. */
  setLength(packets: number): void {
    const message = writeLength(this.#options.queue, packets);
    libc.send(this.#fd, addressOf(message), message.length, 0);
  }

  close(): void {
    libc.close(this.#fd);
  }
}
