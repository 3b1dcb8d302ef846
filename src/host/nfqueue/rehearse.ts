import { attribute, HEADER_BYTES, message, NFGEN_BYTES } from '../../core/codec/netlink.ts';
import { PACKET } from '../../core/codec/nfqueue.ts';
import type { PacketShape } from '../../core/model/packet-shape.ts';
import { COUNT, makeCounters } from './counters.ts';
import { addressOf, libc, MSG_DONTWAIT } from './libc.ts';
import { PacketLoop, type PacketWork } from './packet-loop.ts';

const AF_UNIX = 1;
const SOCK_SEQPACKET_CLOEXEC = 5 | 0o2000000;
const ID_AT = HEADER_BYTES + NFGEN_BYTES + 4;
/** Of the module: what only its address is used of would be collected while it is written to. */
const ANSWERS = Buffer.alloc(65_536);
/** Nothing of the loop was compiled after the first 1,250. */
const ROUNDS = 1_600;
const AT_ONCE = 32;
const SOON_US = 500;

/** The same parts, but for what takes long or leaves this process. */
function quickened({ duplicate: _duplicate, ...shape }: PacketShape): PacketShape {
  const quick: PacketShape = { ...shape };
  const { delay, reorder, rate } = shape;
  if (delay)
    quick.delay = {
      ...delay,
      latencyUs: Math.min(SOON_US, delay.latencyUs),
      jitterUs: Math.min(SOON_US, delay.jitterUs),
    };
  if (rate) quick.rate = { ...rate, latencyUs: Math.min(SOON_US, rate.latencyUs) };
  if (reorder) quick.reorder = { ...reorder, holdUs: SOON_US };
  return quick;
}

/** A UDP datagram over IPv4, from nobody we know. */
function datagram(): number[] {
  const packet = Array.from({ length: 92 }, () => 0);
  [packet[0], packet[3], packet[8], packet[9]] = [0x45, packet.length, 64, 17];
  [packet[12], packet[16]] = [192, 192];
  packet[25] = packet.length - 20;
  return packet;
}

/** What the kernel would write of a packet: its number, the device, and the packet. */
function packetMessage(queue: number): Buffer {
  const head = { type: PACKET, flags: 0, sequence: 0, family: 2, resource: queue };
  const [number, device] = [attribute(1, [0, 0, 0, 0, 8, 0, 1]), attribute(5, [0, 0, 0, 2])];
  return Buffer.from(message(head, number, device, attribute(10, datagram())));
}

/**
 * Plays packets through a loop like the one that is to come, over a pair of sockets in place of the
 * kernel's queue. What V8 has seen happen often is compiled when the first real packet comes, and nobody's
 * packet waits for that: its threads are not there to do it beside the loop.
 * @returns how many packets it played, and how many of them were decided on.
 */
export function rehearse(work: PacketWork): { packets: number; seen: number } {
  const pair = new Int32Array(2);
  const address = addressOf(new Uint8Array(pair.buffer));
  if (libc.socketpair(AF_UNIX, SOCK_SEQPACKET_CLOEXEC, 0, address) !== 0)
    return { packets: 0, seen: 0 };
  const [near = -1, far = -1] = pair;
  const counters = makeCounters();
  const loop = new PacketLoop({ ...work, shape: quickened(work.shape) }, counters, near);
  const packet = packetMessage(work.queue);
  const packetAddress = addressOf(packet);
  const answers = addressOf(ANSWERS);
  let id = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (let count = round % AT_ONCE; count >= 0; count--) {
      packet.writeUInt32BE(++id, ID_AT);
      libc.send(far, packetAddress, packet.length, MSG_DONTWAIT);
    }
    loop.turn();
    // Nobody reads the verdicts: they would fill the pair.
    while (libc.recv(far, answers, ANSWERS.length, MSG_DONTWAIT) > 0);
  }
  loop.close();
  libc.close(far);
  return { packets: id, seen: counters[COUNT.seen] ?? 0 };
}
