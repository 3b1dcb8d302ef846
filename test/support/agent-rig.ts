import { initialState } from '../../src/core/agent/state.ts';
import type { AgentReply } from '../../src/core/agent/event.ts';
import type { ArmRecord, Progress } from '../../src/core/agent/journal-record.ts';
import { JournalSlots } from '../../src/core/agent/journal-slots.ts';
import { EXAMPLE_TOPOLOGY } from '../../src/core/model/example-topology.ts';
import type { AgentFaultRequest } from '../../src/core/model/fault-request.ts';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import { hasEnded, type EndedBy } from '../../src/core/model/lifecycle.ts';
import { AgentDriver } from '../../src/host/agent/driver.ts';
import type { Clock } from '../../src/host/boot-clock.ts';
import { SlotJournal, type Journal, type JournalFile } from '../../src/host/journal.ts';
import type { Linux } from '../../src/host/linux/linux.ts';
import { FakeCrash, FakeLinux } from './fake-linux.ts';

/** Where the agent dies: at its k-th change of the machine, or its k-th write to the journal. */
export interface CrashPoint {
  in: 'machine' | 'journal';
  at: number;
  how: 'before' | 'torn' | 'after';
}

const never = (): Promise<never> => new Promise(() => undefined);

/** A journal's file in memory: it outlives the agent as the page cache outlives a process. */
class MemoryFile implements JournalFile {
  text = '';
  synced = '';
  writes = 0;
  full = false;
  onWrite: (() => CrashPoint['how'] | undefined) | undefined;
  onDead: () => void = () => undefined;

  async read(): Promise<string> {
    return this.text;
  }

  async write(offset: number, text: string): Promise<void> {
    this.writes += 1;
    if (this.full && offset + text.length > this.text.length)
      throw new Error('ENOSPC: no space left on device');
    const how = this.onWrite?.();
    const part = how === 'before' ? '' : how === 'torn' ? text.slice(0, text.length / 2) : text;
    const padded = this.text.padEnd(offset + part.length, '\0');
    this.text = padded.slice(0, offset) + part + padded.slice(offset + part.length);
    if (how === undefined) return;
    this.onDead();
    return never();
  }

  async sync(): Promise<void> {
    this.synced = this.text;
  }

  async truncate(length: number): Promise<void> {
    this.text = this.text.slice(0, length);
  }
}

export interface RigOptions {
  node?: string;
  /** The mutation: undos reach the journal only after the first act. The suite must notice. */
  journalLate?: boolean;
}

/** One node in memory, in virtual time: machine, journal, clock, and an agent that can die. */
export class AgentRig {
  nowMs = 1_000_000;
  readonly linux = new FakeLinux(() => this.nowMs);
  readonly file = new MemoryFile();
  readonly statuses: AgentFaultStatus[] = [];
  readonly beats: (number | undefined)[] = [];
  readonly bugs: unknown[] = [];
  alive = false;
  readonly #options: RigOptions;
  #driver: AgentDriver | undefined;
  #timers = new Map<number, { atMs: number; callback: () => void }>();
  #nextTimer = 1;

  constructor(options: RigOptions = {}) {
    this.#options = options;
    this.linux.addService('broker', ['java', 'kafka.Kafka', 'server.properties']);
    this.file.onDead = () => this.kill();
  }

  get node(): string {
    return this.#options.node ?? 'n1';
  }

  get driver(): AgentDriver {
    if (!this.#driver) throw new Error('the agent was never started');
    return this.#driver;
  }

  /** Starts an agent on what is there, and lets it heal. */
  async start(by: EndedBy = 'agentRestart'): Promise<void> {
    this.linux.restart();
    this.file.onWrite = undefined;
    this.alive = true;
    const opened = await SlotJournal.open(this.file, (error) => this.bugs.push(error));
    const late = this.#options.journalLate ? new LateJournal(opened.journal) : undefined;
    const driver = new AgentDriver(
      {
        linux: this.#hands(late),
        journal: late ?? opened.journal,
        clock: this.#clock(),
        beat: (due) => this.beats.push(due),
        remember: () => Promise.resolve(),
        onStatus: (status) => this.statuses.push(status),
        onBug: (error) => this.bugs.push(error),
      },
      initialState({
        node: this.node,
        bootId: this.linux.bootId(),
        agentPort: 8611,
        ownNodes: EXAMPLE_TOPOLOGY.nodes.filter((node) => node.name === this.node),
      }),
    );
    this.#driver = driver;
    driver.dispatch({ event: 'probed', capabilities: await this.linux.needs() });
    void driver.recover(opened.entries, by);
    await this.settle();
  }

  /** The machine's hands, until the agent dies: then nothing it began ever comes back. */
  #hands(late: LateJournal | undefined): Linux {
    const { linux } = this;
    const guarded =
      <A extends unknown[], T>(work: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        if (!this.alive) return never();
        try {
          const value = await work.apply(linux, args);
          return this.alive ? value : await never();
        } catch (error) {
          if (!(error instanceof FakeCrash)) throw error;
          this.kill();
          return never();
        }
      };
    return {
      perform: guarded(async (act) => {
        await linux.perform(act);
        if (late) await late.release();
      }),
      holds: guarded((act) => linux.holds(act)),
      ask: guarded((query) => linux.ask(query)) as Linux['ask'],
      probe: guarded((probes) => linux.probe(probes)),
      needs: guarded(() => linux.needs()),
      leftovers: guarded(() => linux.leftovers()),
    };
  }

  #clock(): Clock {
    this.#timers.clear();
    return {
      nowMs: () => this.nowMs,
      at: (atMs, _precise, callback) => {
        const id = this.#nextTimer++;
        this.#timers.set(id, { atMs, callback });
        return () => this.#timers.delete(id);
      },
    };
  }

  /** SIGKILL: whatever it was doing. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.driver.close();
    this.#timers.clear();
    this.linux.trouble = { at: this.linux.effects.length + 1, how: 'crash-before' };
    // The fake machine notes a crash only in an effect: this one is never carried out.
    this.linux.perform({ act: 'noop', token: 'crash' }).catch(() => undefined);
  }

  /** Arranges the death of the running agent, counted from now. */
  crashAt(point: CrashPoint): void {
    if (point.in === 'machine') {
      const how = point.how === 'before' ? 'crash-before' : 'crash-after';
      this.linux.trouble = { at: this.linux.effects.length + point.at, how };
      return;
    }
    const at = this.file.writes + point.at;
    this.file.onWrite = () => (this.file.writes === at ? point.how : undefined);
  }

  /** Lets everything that is under way come to rest; no time passes. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.alive && [...this.driver.state.faults.values()].some((fault) => fault.doing))
        quiet = -1;
    }
  }

  /** Time passes, timers fire at their instants. */
  async advance(ms: number): Promise<void> {
    const until = this.nowMs + ms;
    for (;;) {
      await this.settle();
      const due = [...this.#timers].filter(([, timer]) => timer.atMs <= until);
      const [id, next] = due.sort((left, right) => left[1].atMs - right[1].atMs)[0] ?? [];
      if (id === undefined || !next) break;
      this.#timers.delete(id);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
    }
    this.nowMs = until;
  }

  /** A request; undefined: the agent died before it answered. */
  async create(request: AgentFaultRequest, dryRun = false): Promise<AgentReply | undefined> {
    let answer: AgentReply | undefined;
    void this.driver.request({ event: 'create', request, dryRun }).then((reply) => {
      answer = reply;
    });
    await this.settle();
    return answer;
  }

  status(id: string): AgentFaultStatus | undefined {
    return this.statuses.findLast((status) => status.id === id);
  }

  /** Every fault has ended, and once they are forgotten nothing is in the journal. */
  async journalIsEmpty(): Promise<boolean> {
    for (const { id, instance, state } of Array.from(this.driver.state.faults.values())) {
      if (!hasEnded(state)) return false;
      await this.driver.request({ event: 'forget', id, instance });
    }
    await this.settle();
    return new JournalSlots().read(this.file.text).length === 0;
  }
}

/** Says that a record is on disk, and writes it when the first act has been done. */
class LateJournal implements Journal {
  readonly #journal: SlotJournal;
  readonly #serials = new Map<number, number>();
  #held: { fake: number; arm: ArmRecord; progress: Progress }[] = [];
  #nextFake = 1;

  constructor(journal: SlotJournal) {
    this.#journal = journal;
  }

  async arm(arm: ArmRecord, progress: Progress): Promise<number> {
    const fake = this.#nextFake++;
    this.#held.push({ fake, arm, progress });
    return fake;
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    for (const { fake, arm, progress } of held)
      this.#serials.set(fake, await this.#journal.arm(arm, progress));
  }

  progress(record: number, progress: Progress): void {
    const serial = this.#serials.get(record);
    if (serial !== undefined) this.#journal.progress(serial, progress);
  }

  forget(record: number): void {
    this.#journal.forget(this.#serials.get(record) ?? record);
  }

  idle(): Promise<void> {
    return this.#journal.idle();
  }
}
