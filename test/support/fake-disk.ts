import { unreachable } from '../../src/core/base/assert.ts';
import { Failure } from '../../src/core/base/failure.ts';
import type { DiskAct } from '../../src/core/model/act-disk.ts';
import type { ProcessRef } from '../../src/core/model/process-match.ts';
import type { DiskAnswer, DiskQuery } from '../../src/core/model/query-disk.ts';
import { FakeDiskFiles } from './fake-disk-files.ts';
import type { Leftover } from '../../src/host/linux/linux.ts';

interface StandingFault {
  faultId: string;
  kind: string;
  leaseEndsMs: number;
  deadlineMs: number;
  hits: number;
}

interface FakeMount {
  alive: boolean;
  tracking: boolean;
  faults: Map<string, StandingFault>;
}

/** Performs one change of the machine, which may fail or be the agent's last. */
export type Effect = (says: string, change: () => unknown) => void;

/** The disks of a pretended machine. Somebody always uses them: what is in force is hit. */
export class FakeDisk {
  readonly #now: () => number;
  readonly #effect: Effect;
  readonly #isAlive: (process: ProcessRef) => boolean;
  readonly files: FakeDiskFiles;
  #mounts = new Map<string, FakeMount>();
  /** Mounts that a power cut has been through, by token. */
  readonly #cuts = new Map<string, Set<string>>();
  /** How often those had hit that stand no more. */
  readonly #ended = new Map<string, number>();

  constructor(now: () => number, effect: Effect, isAlive: (process: ProcessRef) => boolean) {
    this.#now = now;
    this.#isAlive = isAlive;
    this.#effect = effect;
    this.files = new FakeDiskFiles(effect);
    this.mount('/var/lib/kafka/data');
  }

  mount(mountPoint: string, tracking = true): void {
    this.#mounts.set(mountPoint, { alive: true, tracking, faults: new Map() });
  }

  /** Its process is killed: nobody detaches what it leaves. */
  kill(mountPoint: string): void {
    const mount = this.#mounts.get(mountPoint);
    if (mount === undefined) return;
    mount.alive = false;
    mount.faults.clear();
  }

  /** A reboot: mounted again, as the machine starts. */
  reboot(): void {
    for (const mount of this.#mounts.values()) {
      mount.alive = true;
      mount.faults.clear();
    }
  }

  snapshot(): unknown {
    return { mounts: this.#mountsNow(), files: this.files.snapshot() };
  }

  #mountsNow(): string[] {
    return [...this.#mounts]
      .map(([at, mount]) => `${at} ${mount.alive ? this.#standing(mount).sort().join() : 'dead'}`)
      .sort();
  }

  #standing(mount: FakeMount): string[] {
    for (const [token, { leaseEndsMs, deadlineMs }] of mount.faults) {
      if (this.#now() >= Math.min(leaseEndsMs, deadlineMs)) this.#end(mount, token);
    }
    return [...mount.faults.keys()];
  }

  #end(mount: FakeMount | undefined, token: string): void {
    const fault = mount?.faults.get(token);
    if (fault) this.#ended.set(token, fault.hits);
    mount?.faults.delete(token);
  }

  #find(at: { mountPoint: string; token: string }): StandingFault | undefined {
    const mount = this.#mounts.get(at.mountPoint);
    if (mount === undefined || !this.#standing(mount).includes(at.token)) return undefined;
    return mount.faults.get(at.token);
  }

  perform(act: DiskAct): void {
    switch (act.act) {
      case 'disk.fault':
        return this.#add(act);
      case 'disk.fault.renew':
        return this.#renew(act);
      case 'disk.fault.remove':
        return this.#effect(`disk.fault.remove ${act.token}`, () =>
          this.#end(this.#mounts.get(act.mountPoint), act.token),
        );
      case 'disk.powercut':
        return this.#cut(act);
      case 'disk.unmount':
        if (this.#mounts.get(act.mountPoint)?.alive !== false) return;
        return this.#effect(`disk.unmount ${act.mountPoint}`, () =>
          this.#mounts.delete(act.mountPoint),
        );
      case 'disk.fill':
      case 'disk.fill.remove':
      case 'disk.flip':
      case 'disk.flip.undo':
        return this.files.perform(act);
      default:
        return unreachable(act);
    }
  }

  #add(act: Extract<DiskAct, { act: 'disk.fault' }>): void {
    const mount = this.#mounts.get(act.mountPoint);
    if (mount?.alive !== true) throw notMounted(act.mountPoint);
    this.#effect(`disk.fault ${act.token}`, () =>
      mount.faults.set(act.token, {
        faultId: act.faultId,
        kind: act.entry.fault.kind,
        leaseEndsMs: this.#now() + act.leaseMs,
        deadlineMs: this.#now() + (act.deadlineMs ?? Infinity),
        hits: this.#find(act)?.hits ?? 0,
      }),
    );
  }

  #renew(act: Extract<DiskAct, { act: 'disk.fault.renew' }>): void {
    const mount = this.#mounts.get(act.mountPoint);
    if (mount?.alive !== true) {
      this.#mounts.delete(act.mountPoint);
      throw new Failure('gone', `the process of ${act.mountPoint} is dead`, { definite: true });
    }
    const fault = this.#find(act);
    if (fault === undefined) {
      throw new Failure('expired', `fault ${act.token} has ended by itself`, { definite: true });
    }
    this.#effect(`disk.fault.renew ${act.token}`, () => {
      fault.leaseEndsMs = this.#now() + act.leaseMs;
    });
  }

  #cut(act: Extract<DiskAct, { act: 'disk.powercut' }>): void {
    if (this.#mounts.get(act.mountPoint)?.alive !== true) throw notMounted(act.mountPoint);
    if (this.holds(act)) return;
    if (act.processes.some((process) => this.#isAlive(process))) {
      throw new Failure('process-alive', 'somebody still writes', { definite: true });
    }
    this.#effect(`disk.powercut ${act.mountPoint}`, () => {
      const done = this.#cuts.get(act.token) ?? new Set();
      this.#cuts.set(act.token, done.add(act.mountPoint));
    });
  }

  holds(act: DiskAct): boolean {
    switch (act.act) {
      case 'disk.fault':
      case 'disk.fault.renew':
        return this.#find(act) !== undefined;
      case 'disk.fault.remove':
        return this.#find(act) === undefined;
      case 'disk.powercut':
        return this.#cuts.get(act.token)?.has(act.mountPoint) === true;
      case 'disk.unmount':
        return !this.#mounts.has(act.mountPoint);
      case 'disk.fill':
      case 'disk.fill.remove':
      case 'disk.flip':
      case 'disk.flip.undo':
        return this.files.holds(act);
      default:
        return unreachable(act);
    }
  }

  answer(query: DiskQuery): DiskAnswer {
    switch (query.query) {
      case 'diskMounts': {
        const mounts = [...this.#mounts].map(([mountPoint, { alive, tracking }]) => {
          return { mountPoint, target: alive ? mountPoint : '', alive, tracking };
        });
        return { query: 'diskMounts', mounts };
      }
      case 'diskFault': {
        const fault = this.#find(query);
        if (fault === undefined) {
          const ended = this.#ended.get(query.token) ?? 0;
          return { query: 'diskFault', inForce: false, matched: ended, hits: ended };
        }
        const hits = ++fault.hits;
        return { query: 'diskFault', inForce: true, matched: hits, hits };
      }
      case 'diskPowerCut': {
        const mounts = this.#cuts.get(query.token)?.size ?? 0;
        return { query: 'diskPowerCut', mounts, files: mounts, bytes: mounts, names: 0 };
      }
      case 'diskSpace':
      case 'diskFile':
      case 'diskBytes':
        return this.files.answer(query);
      default:
        return unreachable(query);
    }
  }

  leftovers(): Leftover[] {
    return [...this.#mounts].flatMap(([mountPoint, mount]): Leftover[] => {
      if (!mount.alive) {
        const says = `mount at ${mountPoint} whose file-system process is dead`;
        return [{ says, remove: { act: 'disk.unmount', mountPoint } }];
      }
      return this.#standing(mount).map((token) => ({
        says: `disk fault ${token} at ${mountPoint}`,
        faultId: mount.faults.get(token)?.faultId ?? '',
        remove: { act: 'disk.fault.remove', token, mountPoint },
      }));
    });
  }
}

function notMounted(mountPoint: string): Failure {
  return new Failure('not-mounted', `nobody answers at ${mountPoint}`, { definite: true });
}
