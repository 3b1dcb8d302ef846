import { unreachable } from '../base/assert.ts';
import { describeProxyAct, type ProxyAct } from './act-proxy.ts';
import { describeDiskAct, isDiskAct, type DiskAct } from './act-disk.ts';
import { describeDnsAct, type DnsAct } from './act-dns.ts';
import { describeNetfilterAct, type NetfilterAct } from './act-netfilter.ts';
import { describePacketAct, type PacketAct } from './act-packets.ts';
import { describeShapingAct, type ShapingAct } from './act-shaping.ts';
import { describeSocketAct, type SocketAct } from './act-sockets.ts';
import { describeProcess, type ProcessRef } from './process-match.ts';

/** Processes that end in their own time, if the note says that they were told to. */
export interface Ending {
  note: string;
  processes: ProcessRef[];
}

export type Signal = 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT';

/**
 * Everything that is ever done to a machine; families have files of their own beside this one.
 * host/linux performs each in one exhaustive switch: audit that file, and you know what Faultline can
 * do. Every act is idempotent.
 */
export type Act =
  | DiskAct
  | DnsAct
  | { act: 'noop'; token: string }
  | ProxyAct
  | NetfilterAct
  | PacketAct
  | ShapingAct
  | SocketAct
  /**
   * Signals exactly these processes through pidfds; one that is gone is no error. `note`, a token, is
   * left behind first, for the `service.start` that must know whether they were told to end.
   */
  | { act: 'process.signal'; processes: ProcessRef[]; signal: Signal; note?: string }
  /** SIGSTOP and SIGCONT in turn until released (GC-like stalls). */
  | { act: 'process.pulse'; token: string; processes: ProcessRef[]; onMs: number; offMs: number }
  | { act: 'process.pulse.stop'; token: string; processes: ProcessRef[] }
  /**
   * Starts a service the way the agent's configuration names, unless it runs. What was told to end, as a
   * note says, and has not, is killed: else it would end after the start that found it running, and
   * nobody would start it again.
   */
  | { act: 'service.start'; service: string; ending?: Ending }
  /**
   * Burns CPU in a process of its own that carries the token, outlives the agent so that the guard
   * can end it, and ends by itself when nobody has refreshed it for `timeoutMs`.
   */
  | {
      act: 'cpu.burn';
      token: string;
      workers: number;
      sharePerMille: number;
      rampMs: number;
      timeoutMs: number;
    }
  /** Renews the burner's own timeout; a Failure 'expired' where it has ended by itself. */
  | { act: 'cpu.burn.refresh'; token: string }
  | { act: 'cpu.burn.stop'; token: string }
  /** Removes a control group of ours that no process is in any more. */
  | { act: 'cgroup.delete'; group: string };

/**
 * Whether it waits for a process to start, which on a busy machine may take long. Nobody's end waits for
 * that: the undo of such an act may be performed while the act still is, and ends what is starting.
 */
export function startsProcess({ act }: Act): boolean {
  return act === 'dns.answer' || act === 'kafka.proxy' || act === 'packets.steer';
}

/** The act in words, as `faultline explain` and the journal print it. */
export function describeAct(act: Act): string {
  switch (act.act) {
    case 'noop':
      return 'do nothing';
    case 'dns.answer':
    case 'dns.refresh':
    case 'dns.stop':
      return describeDnsAct(act);
    case 'kafka.proxy':
    case 'kafka.proxy.refresh':
    case 'kafka.proxy.stop':
      return describeProxyAct(act);
    case 'netfilter.apply':
    case 'netfilter.refresh':
    case 'netfilter.delete':
      return describeNetfilterAct(act);
    case 'packets.steer':
    case 'packets.refresh':
    case 'packets.release':
      return describePacketAct(act);
    case 'process.signal':
      return `send ${act.signal} to ${act.processes.map(describeProcess).join(', ')}`;
    case 'process.pulse':
      return `stop for ${act.onMs} ms and continue for ${act.offMs} ms, in turn: ${act.processes
        .map(describeProcess)
        .join(', ')}`;
    case 'process.pulse.stop':
      return `end the stalls and send SIGCONT to ${act.processes.map(describeProcess).join(', ')}`;
    case 'shaping.apply':
    case 'shaping.refresh':
    case 'shaping.release':
      return describeShapingAct(act);
    case 'sockets.destroy':
      return describeSocketAct(act);
    case 'service.start':
      return describeStart(act.service, act.ending);
    case 'cpu.burn':
      return `burn ${act.sharePerMille / 10} % of ${act.workers} CPU(s), marked ${act.token}`;
    case 'cpu.burn.refresh':
      return `renew the timeout of the CPU burners marked ${act.token}`;
    case 'cpu.burn.stop':
      return `end the CPU burners marked ${act.token}`;
    case 'cgroup.delete':
      return `delete the empty control group ${act.group}`;
    default:
      if (isDiskAct(act)) return describeDiskAct(act);
      return unreachable(act);
  }
}

function describeStart(service: string, ending: Ending | undefined): string {
  const start = `start service '${service}' as the agent's configuration says, unless it runs`;
  if (ending === undefined) return start;
  const who = ending.processes.map(describeProcess).join(', ');
  return `send SIGKILL to ${who} if it was told to end and has not; ${start}`;
}
