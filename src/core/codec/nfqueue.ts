import {
  attribute,
  be16,
  be32,
  HEADER_BYTES,
  message,
  NFGEN_BYTES,
  NLM_F_ACK,
  NLM_F_REQUEST,
} from './netlink.ts';

/**
 * NFQUEUE (linux/netfilter/nfnetlink_queue.h): configuring a queue, reading packets, giving verdicts.
 * What is done for each packet writes into buffers that are there and allocates nothing.
 */
const SUBSYSTEM = 3 << 8;
export const PACKET = SUBSYSTEM;
const VERDICT = SUBSYSTEM | 1;
const CONFIG = SUBSYSTEM | 2;
const VERDICT_BATCH = SUBSYSTEM | 3;

const ATTRIBUTES_AT = HEADER_BYTES + NFGEN_BYTES;
const PACKET_HEADER = 1;
const VERDICT_HEADER = 2;
const PAYLOAD = 10;
const CAP_LEN = 13;
export const VERDICT_BYTES = ATTRIBUTES_AT + 12;

export const DROP = 0;
export const ACCEPT = 1;

export interface QueueOptions {
  queue: number;
  /** Bytes of each packet to be handed over; 0: none, and the kernel copies nothing. */
  copyBytes: number;
  /** Packets that may wait in the kernel for a verdict; more pass untouched. */
  length: number;
  /** Whether packets that were merged (GRO, GSO) come as one, as large as 64 KiB. */
  merged: boolean;
}

const FAIL_OPEN = 1;
const GSO = 4;
const COPY_META = 1;
const COPY_PACKET = 2;

/** The messages that bind and set a queue; each is to be acknowledged before the next is sent. */
export function writeBind(options: QueueOptions): Uint8Array[] {
  const { queue, copyBytes, length, merged } = options;
  const flags = FAIL_OPEN | (merged ? GSO : 0);
  const head = { type: CONFIG, flags: NLM_F_REQUEST | NLM_F_ACK, family: 0, resource: queue };
  const config = (sequence: number, ...attributes: readonly (readonly number[])[]): Uint8Array =>
    message({ ...head, sequence }, ...attributes);
  const mode = copyBytes > 0 ? COPY_PACKET : COPY_META;
  return [
    config(1, attribute(1, [1, 0], be16(0))),
    config(
      2,
      attribute(2, be32(copyBytes), [mode]),
      attribute(3, be32(length)),
      attribute(4, be32(FAIL_OPEN | GSO)),
      attribute(5, be32(flags)),
    ),
  ];
}

/** Other than `length` packets may wait from now on; the kernel does not answer. */
export function writeLength(queue: number, length: number): Uint8Array {
  const head = { type: CONFIG, flags: NLM_F_REQUEST, sequence: 0, family: 0, resource: queue };
  return message(head, attribute(3, be32(length)));
}

/** Reads the packet messages of one buffer, in fields: nothing is allocated for a packet. */
export class PacketReader {
  id = 0;
  /** Length of the whole packet, also where only its beginning was handed over. */
  length = 0;
  /** Where the handed-over bytes begin and how many they are. */
  payloadAt = 0;
  payloadBytes = 0;
  readonly #view: DataView;

  constructor(view: DataView) {
    this.#view = view;
  }

  /** @returns whether a packet's message stands there. */
  read(at: number, bytes: number): boolean {
    const view = this.#view;
    if (bytes < ATTRIBUTES_AT + 8 || view.getUint16(at + 4, true) !== PACKET) return false;
    this.payloadBytes = 0;
    this.length = 0;
    let found = false;
    const end = at + Math.min(bytes, view.getUint32(at, true));
    for (let place = at + ATTRIBUTES_AT; place + 4 <= end;) {
      const size = view.getUint16(place, true);
      if (size < 4 || place + size > end) break;
      const type = view.getUint16(place + 2, true) & 0x3fff;
      if (type === PACKET_HEADER && size >= 8) {
        this.id = view.getUint32(place + 4);
        found = true;
      } else if (type === PAYLOAD) {
        this.payloadAt = place + 4;
        this.payloadBytes = size - 4;
        this.length = Math.max(this.length, this.payloadBytes);
      } else if (type === CAP_LEN && size >= 8) this.length = view.getUint32(place + 4);
      place += (size + 3) & ~3;
    }
    return found;
  }

  /** Only the id, of a message whose first attribute it is: that is how the kernel writes them. */
  readId(at: number, bytes: number): boolean {
    const view = this.#view;
    const plain =
      bytes >= ATTRIBUTES_AT + 8 &&
      view.getUint16(at + 4, true) === PACKET &&
      (view.getUint16(at + ATTRIBUTES_AT + 2, true) & 0x3fff) === PACKET_HEADER;
    if (!plain) return this.read(at, bytes);
    this.id = view.getUint32(at + ATTRIBUTES_AT + 4);
    this.length = 0;
    return true;
  }
}

function writeHeader(view: DataView, at: number, bytes: number, type: number, queue: number): void {
  view.setUint32(at, bytes, true);
  view.setUint16(at + 4, type, true);
  view.setUint16(at + 6, NLM_F_REQUEST, true);
  view.setUint32(at + 8, 0, true);
  view.setUint32(at + 12, 0, true);
  view.setUint16(at + 16, 0, true);
  view.setUint16(at + 18, queue);
}

function writeVerdictHeader(view: DataView, at: number, verdict: number, id: number): void {
  view.setUint16(at, 12, true);
  view.setUint16(at + 2, VERDICT_HEADER, true);
  view.setUint32(at + 4, verdict);
  view.setUint32(at + 8, id);
}

/** One packet's verdict. @param upTo also of every packet before it that still waits. */
export function writeVerdict(
  view: DataView,
  at: number,
  queue: number,
  id: number,
  verdict: number,
  upTo: boolean,
): void {
  writeHeader(view, at, VERDICT_BYTES, upTo ? VERDICT_BATCH : VERDICT, queue);
  writeVerdictHeader(view, at + ATTRIBUTES_AT, verdict, id);
}

/** Lets a packet pass with other bytes. @returns bytes written. */
export function writeChanged(
  bytes: Uint8Array,
  queue: number,
  id: number,
  payload: Uint8Array,
): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const total = VERDICT_BYTES + 4 + ((payload.length + 3) & ~3);
  writeHeader(view, 0, total, VERDICT, queue);
  writeVerdictHeader(view, ATTRIBUTES_AT, ACCEPT, id);
  view.setUint16(VERDICT_BYTES, 4 + payload.length, true);
  view.setUint16(VERDICT_BYTES + 2, PAYLOAD, true);
  bytes.set(payload, VERDICT_BYTES + 4);
  return total;
}
