import { diskSurvivesReboot, isDiskAct } from '../model/act-disk.ts';
import type { Act } from '../model/act.ts';
import type { Claim } from '../model/fault.ts';
import type { Effect, EndedBy, State } from '../model/lifecycle.ts';
import type { Answer, Query } from '../model/query.ts';

/** An undo as it is written down before anything is done. */
export interface UndoRecord {
  says: string;
  act: Act;
}

/** Written whole, once, and on disk before the first act: all that healing needs. */
export interface ArmRecord {
  id: string;
  instance: number;
  owner: string;
  kind: string;
  specHash: string;
  node: string;
  /** /proc/sys/kernel/random/boot_id: another boot has forgotten what was volatile. */
  bootId: string;
  armedAtBootMs: number;
  /** In words, for those who ask after a restart. */
  plan: { says: string; undo: string }[];
  claims: Claim[];
  /** The machine before anything was done, and what to ask it again: for the receipt. */
  before?: Answer;
  sample?: Query;
  /** In the order of the acts; undone from the end. */
  undos: UndoRecord[];
}

/** Overwritten in place as the fault goes on: small, and never needed for healing. */
export interface Progress {
  state: State;
  /** The instant it was told to fire at; it may have acted from there on. */
  fireAtBootMs?: number;
  firedAtBootMs?: number;
  endedAtBootMs?: number;
  endedBy?: EndedBy;
  effect?: Effect;
  says?: string;
  error?: string;
  /** Of the receipt, where a slot has room for it. */
  during?: Answer;
  after?: Answer;
  actMs?: number;
  healMs?: number;
}

/** What the journal holds of one fault. */
export interface JournalEntry {
  /** Grows with every record: newer is greater. */
  serial: number;
  arm: ArmRecord;
  progress: Progress;
}

/**
 * Whether what an undo takes back would still be there after a reboot. Rules, stopped processes and
 * burners are gone with the kernel that held them, and services start the way the machine starts them.
 */
export function survivesReboot(act: Act): boolean {
  switch (act.act) {
    case 'noop':
    case 'dns.answer':
    case 'dns.refresh':
    case 'dns.stop':
    case 'kafka.proxy':
    case 'kafka.proxy.refresh':
    case 'kafka.proxy.stop':
    case 'netfilter.apply':
    case 'netfilter.refresh':
    case 'netfilter.delete':
    case 'packets.steer':
    case 'packets.refresh':
    case 'packets.release':
    case 'process.signal':
    case 'process.pulse':
    case 'process.pulse.stop':
    case 'service.start':
    case 'shaping.apply':
    case 'shaping.refresh':
    case 'shaping.release':
    case 'sockets.destroy':
    case 'cpu.burn':
    case 'cpu.burn.refresh':
    case 'cpu.burn.stop':
    case 'cgroup.delete':
      return false;
    default:
      if (isDiskAct(act)) return diskSurvivesReboot(act);
      // An undo this version does not know: running it could do harm, leaving it out could too.
      return true;
  }
}
