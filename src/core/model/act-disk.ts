import { unreachable } from '../base/assert.ts';
import type { ProcessRef } from './process-match.ts';

/** A fault of a file system as its own process takes it; core/disk checks what stands in it. */
export interface DiskEntry {
  match?: Readonly<Record<string, unknown>>;
  when?: Readonly<Record<string, unknown>>;
  fault: Readonly<Record<string, unknown>> & { kind: string };
}

/** A few bytes of a file, as they were and as they are after a flip (hexadecimal). */
export interface FlippedBytes {
  offset: number;
  was: string;
  is: string;
}

export interface FlippedFile {
  path: string;
  /** The file that was looked at, and no other by its name. */
  inode: number;
  windows: FlippedBytes[];
}

/** What is done to disks. The file-system process of a mount knows a fault by its token. */
export type DiskAct =
  /**
   * Returns when it is in force, also for files that are open, cached or mapped. The process heals it
   * by itself when nobody renews it for `leaseMs`, and in any case after `deadlineMs`.
   */
  | {
      act: 'disk.fault';
      token: string;
      faultId: string;
      mountPoint: string;
      entry: DiskEntry;
      seed: number;
      leaseMs: number;
      deadlineMs?: number;
    }
  /** A Failure 'expired' where it has ended by itself, 'gone' where the process has. */
  | { act: 'disk.fault.renew'; token: string; mountPoint: string; leaseMs: number }
  | { act: 'disk.fault.remove'; token: string; mountPoint: string }
  /**
   * Loses what was not fsynced, once these processes are gone; a second time for the same token does
   * nothing. A Failure 'process-alive' where they are not: they would write it again.
   */
  | {
      act: 'disk.powercut';
      token: string;
      mountPoint: string;
      loss: 'all' | 'subset' | 'torn' | 'reordered';
      names?: 'posix' | 'own' | 'journal';
      seed: number;
      processes: ProcessRef[];
    }
  /** Takes room on a real file system, by a file in a directory: `path` is its. */
  | { act: 'disk.fill'; token: string; path: string; bytes: number }
  | { act: 'disk.fill.remove'; token: string; path: string }
  /** Changes bytes of a file that lies still. A Failure 'changed' where it is not what it was. */
  | ({ act: 'disk.flip'; token: string } & FlippedFile)
  /** Puts back what is still as disk.flip left it; what was written since stays. */
  | ({ act: 'disk.flip.undo'; token: string } & FlippedFile)
  /** Detaches a mount whose file-system process is dead; one that lives is left alone. */
  | { act: 'disk.unmount'; mountPoint: string };

export function isDiskAct(act: { act: string }): act is DiskAct {
  return act.act.startsWith('disk.');
}

export function describeDiskAct(act: DiskAct): string {
  switch (act.act) {
    case 'disk.fault': {
      const { kind, ...fields } = act.entry.fault;
      const details = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
      const match = act.entry.match ?? {};
      const files = Object.keys(match).length === 0 ? 'all files' : JSON.stringify(match);
      const does = `'${kind}'${details} to ${files}`;
      return `tell the file system at ${act.mountPoint} to do ${does}, marked ${act.token}`;
    }
    case 'disk.fault.renew':
      return `renew the lease of fault ${act.token} at ${act.mountPoint}`;
    case 'disk.fault.remove':
      return `tell the file system at ${act.mountPoint} to end fault ${act.token}`;
    case 'disk.powercut':
      return `lose what was not fsynced at ${act.mountPoint} (${act.loss}), marked ${act.token}`;
    case 'disk.fill':
      return `allocate ${act.bytes} bytes in ${act.path}`;
    case 'disk.fill.remove':
      return `remove ${act.path}`;
    case 'disk.flip':
      return `change ${act.path} at byte ${offsetsOf(act)}, marked ${act.token}`;
    case 'disk.flip.undo':
      return `put back the bytes of ${act.path} near ${offsetsOf(act)}, marked ${act.token}`;
    case 'disk.unmount':
      return `detach the mount at ${act.mountPoint}, whose process is dead`;
    default:
      return unreachable(act);
  }
}

function offsetsOf({ windows }: FlippedFile): string {
  return windows.map(({ offset }) => offset).join(', ');
}

/** A file-system process and its faults end with the kernel; what is on a disk stays. */
export function diskSurvivesReboot(act: DiskAct): boolean {
  switch (act.act) {
    case 'disk.fault':
    case 'disk.fault.renew':
    case 'disk.fault.remove':
    case 'disk.powercut':
    case 'disk.unmount':
      return false;
    case 'disk.fill':
    case 'disk.fill.remove':
    case 'disk.flip':
    case 'disk.flip.undo':
      return true;
    default:
      // One this version does not know: see survivesReboot().
      return true;
  }
}
