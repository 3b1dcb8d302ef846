import { constants, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { IOC_CLONE } from '../../core/codec/fuse/constants.ts';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import type { ControlFileOptions } from './control-file.ts';
import type { EngineOptions } from './engine.ts';
import { addressOf, cString, lastErrno, libc, MNT_DETACH, O_CLOEXEC } from './libc.ts';
import { createShared, openMemory, WORD, type Memory, type Shared } from './memory.ts';
import { FILE_SYSTEM_TYPE, ourMountAt } from './mounts.ts';
import { NodeTable } from './node-table.ts';
import { Engine } from './engine.ts';
import type { LaneMessage, NoticeMessage, Report } from './messages.ts';
import type { ThreadData } from './thread.ts';

export interface FileSystemOptions {
  /** The backing directory; absolute, without symlinks. */
  target: string;
  /** Where it appears; may be the same. */
  mountPoint: string;
  /** Others change the backing directory too: keep names and attributes for 1 s, no pages. */
  shared?: boolean;
  /** What was not fsynced is known from the mount on, for a power cut. */
  trackUnsynced?: boolean;
  /** Threads that serve; default: as many as CPUs, from 2 to 8. */
  threads?: number;
  /** A file in the mount's root that sets the faults (Kibosh's). */
  controlFile?: { name: string; mode: number; text: string };
  /** Of what the control file sets. */
  seed?: number;
  /** Most inodes the kernel may know at once (a power of two); default 2^21. */
  nodes?: number;
}

/** Threads that keep held requests. */
export const LANES = 2;

const MS_NOSUID = 2;
const MS_NODEV = 4;

/** The error of the last call in words. */
function failure(code: string, what: string): Failure {
  return new Failure(code, `${what}: errno ${lastErrno()}`, { definite: true });
}

/**
 * How many descriptors there are for files that others open; the rest is kept for the control, so that
 * nobody who opens too many can lock it out, and for what is open for a moment.
 */
function descriptorsForFiles(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+(\S+)/m.exec(limits)?.[1] ?? '1024';
  const limit = Math.min(Number(hard) || 1 << 20, 1 << 20);
  return limit - Math.max(32, Math.min(256, Math.floor(limit / 8)));
}

/**
 * Ends this process though its threads wait for the kernel, which process.exit() would wait for: they are
 * let go of only when the mount is. Users get errors.
 */
export function endNow(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** A mounted file system: its threads, its shared memory, its queue to the kernel. */
export class FileSystem {
  readonly options: FileSystemOptions;
  readonly memory: Memory;
  readonly shared: Shared;
  readonly rootFd: number;
  readonly device: number;
  readonly #logFd: number;
  readonly #controlFile: ControlFileOptions | undefined;
  readonly #threads: Worker[] = [];
  /** The device number of the mount, by which it is known. */
  #mountedAs: string | undefined;
  #lanes: MessagePort[] = [];
  #notifier: MessagePort | undefined;
  /** Who hears of what the threads report; set by the control. */
  onReport: (report: Report) => void = () => undefined;
  readonly #exits: Promise<void>[] = [];

  private constructor(options: FileSystemOptions, rootFd: number, device: number, shared: Shared) {
    this.options = options;
    this.rootFd = rootFd;
    this.device = device;
    this.shared = shared;
    this.memory = openMemory(shared);
    this.#logFd = libc.memfdCreate(cString('faultline-unsynced').address, 1);
    if (options.controlFile === undefined) return;
    const { name, mode, text } = options.controlFile;
    const fd = libc.memfdCreate(cString(name).address, 1);
    libc.fchmod(fd, mode & 0o777);
    this.#controlFile = { name, fd };
    this.setControlText(text);
  }

  /** Mounts and serves. @throws Failure */
  static async start(options: FileSystemOptions): Promise<FileSystem> {
    const path = cString(options.target);
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC;
    const rootFd = libc.open(path.address, flags, 0);
    if (rootFd === -1) throw failure('target-unusable', `cannot open ${options.target}`);
    const device = libc.open(cString('/dev/fuse').address, constants.O_RDWR | O_CLOEXEC, 0);
    if (device === -1) throw failure('no-fuse', 'cannot open /dev/fuse');
    libc.umask(0);
    const shared = createShared({ nodes: options.nodes ?? 1 << 21, files: descriptorsForFiles() });
    const fileSystem = new FileSystem(options, rootFd, device, shared);
    fileSystem.#plantRoot();
    fileSystem.#mount();
    try {
      await fileSystem.#startThreads();
    } catch (error) {
      fileSystem.unmount(true);
      throw error;
    }
    fileSystem.#widenReadahead();
    return fileSystem;
  }

  get engineOptions(): EngineOptions {
    return {
      rootFd: this.rootFd,
      logFd: this.#logFd,
      controlFile: this.#controlFile,
      timeoutSeconds: this.options.shared === true ? 1 : 86_400,
      isExclusive: this.options.shared !== true,
      directories: Math.max(8, Math.min(64, Math.floor(this.shared.sizes.files / 64))),
    };
  }

  /** What the control file reads as from now on. */
  setControlText(text: string): void {
    if (this.#controlFile === undefined) return;
    const { fd } = this.#controlFile;
    const bytes = Buffer.alloc(Math.max(4096, Buffer.byteLength(text)));
    const length = bytes.write(text);
    libc.ftruncate(fd, 0);
    libc.pwrite(fd, addressOf(bytes), length, 0);
  }

  #plantRoot(): void {
    const engine = new Engine(this.memory, this.engineOptions);
    const looked = engine.statDescriptor(this.rootFd);
    if (looked !== 0) throw failure('target-unusable', `cannot look at ${this.options.target}`);
    new NodeTable(this.memory).start(engine.device, engine.inoLow, engine.inoHigh);
  }

  #mount(): void {
    const data = cString(
      `fd=${this.device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions`,
    );
    const source = cString(this.options.target.replaceAll(',', '_'));
    const target = cString(this.options.mountPoint);
    const type = cString(FILE_SYSTEM_TYPE);
    const flags = MS_NOSUID | MS_NODEV;
    const done = libc.mount(source.address, target.address, type.address, flags, data.address);
    if (done === -1) throw failure('mount-refused', `cannot mount at ${this.options.mountPoint}`);
    this.#mountedAs = ourMountAt(this.options.mountPoint)?.device;
  }

  /** A queue of its own to the same mount (FUSE_DEV_IOC_CLONE). */
  #clone(): number {
    const fd = libc.open(cString('/dev/fuse').address, constants.O_RDWR | O_CLOEXEC, 0);
    const number = Buffer.alloc(4096);
    number.writeUInt32LE(this.device);
    if (fd === -1 || libc.ioctl(fd, IOC_CLONE, addressOf(number)) === -1) {
      throw failure('no-fuse', 'cannot clone the queue of /dev/fuse');
    }
    return fd;
  }

  /** Serving threads, the lanes for held requests, the notifier; each knows those it talks to. */
  async #startThreads(): Promise<void> {
    const count = this.options.threads ?? Math.max(2, Math.min(8, availableParallelism()));
    const toLanes: MessagePort[][] = [];
    const toNotifier: MessagePort[] = [];
    const laneClients: MessagePort[][] = Array.from({ length: LANES }, () => []);
    const notifierClients: MessagePort[] = [];
    for (let index = 0; index < count + LANES + 1; index++) {
      const lanes: MessagePort[] = [];
      for (const clients of laneClients) {
        const { port1, port2 } = new MessageChannel();
        lanes.push(port1);
        clients.push(port2);
      }
      const { port1, port2 } = new MessageChannel();
      toLanes.push(lanes);
      toNotifier.push(port1);
      notifierClients.push(port2);
    }
    this.#lanes = toLanes[count + LANES] ?? [];
    this.#notifier = toNotifier[count + LANES];
    this.#spawn('notify', { clients: notifierClients });
    for (let index = 0; index < LANES; index++) {
      const notifier = toNotifier[count + index];
      const lanes = toLanes[count + index] ?? [];
      this.#spawn('lane', { clients: laneClients[index] ?? [], lanes, notifier });
    }
    for (let index = 0; index < count; index++) {
      const device = index === 0 ? this.device : this.#clone();
      this.#spawn('serve', { lanes: toLanes[index] ?? [], notifier: toNotifier[index], device });
    }
    const gone = Promise.race(this.#exits).then(() => {
      const message = `the mount at ${this.options.mountPoint} was taken away before it was ready`;
      throw new Failure('mount-failed', message, { definite: false });
    });
    await Promise.race([this.#reached(WORD.ready, count + LANES + 1), gone]);
    await Promise.race([this.#reached(WORD.initDone, 1), gone]);
  }

  #spawn(role: ThreadData['role'], given: Partial<ThreadData>): void {
    const { shared, engineOptions: options, device } = this;
    const nobody = { lanes: [], clients: [], notifier: undefined };
    const data: ThreadData = { role, shared, options, device, ...nobody, ...given };
    const ports = [...data.lanes, ...data.clients];
    if (data.notifier) ports.push(data.notifier);
    const worker = new Worker(new URL('thread.ts', import.meta.url), {
      name: role,
      workerData: data,
      transferList: ports,
      trackUnmanagedFds: false,
    });
    this.#threads.push(worker);
    if (role === 'serve') {
      this.#exits.push(
        new Promise((resolve) => {
          worker.once('exit', () => resolve());
        }),
      );
    }
    worker.on('message', (report: Report) => this.onReport(report));
    worker.on('error', (error) => {
      // A bug: better no file system than a wrong one. The supervisor unmounts.
      process.stderr.write(`faultline mount: ${reasonOf(error)}\n${error.stack ?? ''}\n`);
      endNow();
    });
  }

  /** Tells all lanes, or the notifier. */
  tellLanes(message: LaneMessage): void {
    for (const port of this.#lanes) port.postMessage(message);
  }

  tellNotifier(message: NoticeMessage): void {
    this.#notifier?.postMessage(message);
  }

  async #reached(word: number, value: number): Promise<void> {
    const endsAt = performance.now() + 60_000;
    for (;;) {
      const now = Atomics.load(this.memory.words, word);
      if (now >= value) return;
      if (performance.now() > endsAt) {
        const message = 'the file system did not start within 60 s';
        throw new Failure('mount-failed', message, { definite: false });
      }
      const waited = Atomics.waitAsync(this.memory.words, word, now, 100);
      if (waited.async) await waited.value;
    }
  }

  /** INIT can't raise read-ahead above 128 KiB; sysfs can. Where it is read-only, nothing is lost. */
  #widenReadahead(): void {
    const entry = ourMountAt(this.options.mountPoint);
    try {
      if (entry) writeFileSync(`/sys/class/bdi/${entry.device}/read_ahead_kb`, '1024');
    } catch {
      // In containers /sys is read-only as a rule: reads are served in smaller pieces then.
    }
  }

  /** Resolves when the kernel has let go of the mount and all serving threads have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#exits);
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  /**
   * Nothing where it is unmounted already: what is there now may be another's.
   * @param detach also while somebody uses it. @returns whether it is unmounted.
   */
  unmount(detach: boolean): boolean {
    if (ourMountAt(this.options.mountPoint)?.device !== this.#mountedAs) return true;
    return libc.umount2(cString(this.options.mountPoint).address, detach ? MNT_DETACH : 0) === 0;
  }
}
