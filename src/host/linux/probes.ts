import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { PacketProbe, Probe } from '../../core/model/fault.ts';
import { probeDisk } from './disk-probe.ts';

/** Long enough for the SYN to leave; whether anybody answers does not matter. */
const TCP_WAIT_MS = 300;
const AT_ONCE = 64;

function probeTcp({ address, port }: PacketProbe): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (): void => {
      socket.destroy();
      resolve();
    };
    // Refused or cut off is the point; all endings are one.
    socket.once('connect', end).once('error', end).setTimeout(TCP_WAIT_MS, end);
  });
}

function probeUdp({ address, port }: PacketProbe): Promise<void> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    let open = true;
    const end = (): void => {
      if (open) socket.close();
      open = false;
      resolve();
    };
    socket.once('error', end);
    socket.send(Buffer.from('faultline'), port, address, end);
  });
}

/** Sends every probe once, some at a time. */
export async function sendProbes(probes: readonly Probe[]): Promise<void> {
  const queue = probes.filter((probe) => 'protocol' in probe);
  for (const probe of probes) if ('disk' in probe) await probeDisk(probe);
  const lane = async (): Promise<void> => {
    for (let probe = queue.shift(); probe; probe = queue.shift()) {
      await (probe.protocol === 'tcp' ? probeTcp(probe) : probeUdp(probe));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
