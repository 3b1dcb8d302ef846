import { initialState, type AgentState } from '../../src/core/agent/state.ts';
import { statusOf } from '../../src/core/agent/status.ts';
import { Failure } from '../../src/core/base/failure.ts';
import type { Act } from '../../src/core/model/act.ts';
import { NEEDS } from '../../src/core/model/fault.ts';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import { hasEnded, type EndedBy } from '../../src/core/model/lifecycle.ts';
import type { Topology } from '../../src/core/model/topology.ts';
import { FakeLinux } from '../support/fake-linux.ts';
import { Disk, SimJournal } from './disk.ts';
import { SimDriver } from './driver.ts';
import { Guard } from './guard.ts';
import type { Invariants } from './invariants.ts';
import type { Subject } from './mutations.ts';
import type { Connection } from './network.ts';
import type { AgentFrame, CoordinatorFrame } from './protocol.ts';
import { Process } from './process.ts';
import type { World } from './world.ts';

export type AgentConnection = Connection<CoordinatorFrame, AgentFrame>;

export interface RunningAgent {
  process: Process;
  /** Once it has the lock. */
  driver: SimDriver | undefined;
  /** Everything old is healed, and the port is open. */
  listens: boolean;
  connections: Set<AgentConnection>;
}

/** A healer that is at work is waited for this long. */
const HEALER_WAIT_MS = 20_000;

/** One machine: its agent, its guards and healers, its disk and its clock. */
export class SimNode {
  readonly world: World;
  readonly name: string;
  readonly topology: Topology;
  readonly subject: Subject;
  readonly invariants: Invariants;
  readonly linux: FakeLinux;
  readonly disk = new Disk();
  readonly baseline: string;
  /** Its boot clock less virtual time. */
  offsetMs: number;
  /** Acts and undos may fail until then. */
  troubleUntilMs = 0;
  /** The last time that somebody interfered with what heals here. */
  disturbedMs = 0;
  agent: RunningAgent | undefined;
  guards = new Set<Guard>();
  lock: Process | undefined;
  #starts = 0;

  constructor(
    world: World,
    name: string,
    cluster: { topology: Topology; subject: Subject; invariants: Invariants },
  ) {
    this.world = world;
    this.name = name;
    this.topology = cluster.topology;
    this.subject = cluster.subject;
    this.invariants = cluster.invariants;
    this.offsetMs = world.random.between(-3_600_000, 3_600_000);
    this.linux = new FakeLinux(() => this.bootMs);
    this.linux.addService('broker', ['java', 'kafka.Kafka', 'server.properties']);
    this.baseline = JSON.stringify(this.linux.snapshot());
  }

  get bootMs(): number {
    return this.world.nowMs + this.offsetMs;
  }

  /** Whether anybody is there who could heal. */
  get hasHealer(): boolean {
    return (
      this.agent?.process.running === true ||
      [...this.guards].some((guard) => guard.process.running)
    );
  }

  disturb(): void {
    this.disturbedMs = this.world.nowMs;
  }

  /** Performs, or fails where there is trouble: before it was done, or after. */
  async perform(act: Act): Promise<void> {
    const roll = this.world.nowMs < this.troubleUntilMs ? this.world.random.below(4) : 2;
    if (roll === 0) throw new Failure('refused', 'refused by chance', { definite: true });
    await this.linux.perform(act);
    this.invariants.performed(this, act);
    if (roll === 1) throw new Failure('lost', 'done, but who knows', { definite: false });
  }

  /** Starts an agent, unless one is there. */
  startAgent(): void {
    if (this.agent?.process.alive) return;
    this.#starts += 1;
    this.disturb();
    const process = new Process(this.world, `${this.name} agent ${this.#starts}`);
    this.world.say(`${process.name}: starts`);
    const waitUntilMs = this.world.nowMs + HEALER_WAIT_MS;
    this.agent = this.#agentIn(process);
    process.onDeath = () => this.#agentDied(process);
    const attempt = (): void => {
      if (this.lock?.alive === true && this.lock !== process) {
        if (this.world.nowMs < waitUntilMs) return void process.after(50, attempt);
        return process.kill();
      }
      this.lock = process;
      this.disturb();
      this.#run(process);
    };
    process.after(this.world.drawMs(100, 400), attempt);
  }

  #agentIn(process: Process): RunningAgent {
    return { process, driver: undefined, listens: false, connections: new Set() };
  }

  #run(process: Process): void {
    const { agent } = this;
    if (agent?.process !== process) return;
    const guard = { current: this.startGuard(process) };
    const { driver, journal } = this.makeDriver(process, 'agent', {
      beat: (dueMs) => guard.current.beat(dueMs),
      onStatus: (status) => {
        this.invariants.agentSays(this, process, status);
        for (const connection of agent.connections)
          connection.toCoordinator({ frame: 'status', faults: [status], complete: false });
      },
    });
    agent.driver = driver;
    const respawn = (): void => {
      process.after(200, () => {
        guard.current = this.startGuard(process);
        guard.current.process.onDeath = respawn;
        driver.beatAgain();
      });
    };
    guard.current.process.onDeath = respawn;
    this.recover(driver, journal, 'agentRestart', () => {
      agent.listens = true;
    });
  }

  startGuard(agent: Process): Guard {
    const guard = new Guard(this, agent);
    this.guards.add(guard);
    return guard;
  }

  makeDriver(
    process: Process,
    role: 'agent' | 'healer',
    ports: {
      beat: (dueMs: number | undefined) => void;
      onStatus: (status: AgentFaultStatus) => void;
    },
  ): { driver: SimDriver; journal: SimJournal } {
    const journal = new SimJournal(this.world, process, this.disk, this.subject);
    const identity = {
      node: this.name,
      bootId: this.linux.bootId(),
      agentPort: 8611,
      ownNodes: this.topology.nodes.filter((node) => node.name === this.name),
    };
    const driver = new SimDriver(this, process, journal, initialState(identity), {
      ...ports,
      step: this.subject.agentStep,
      onStep: (before, after, event, asker) => {
        if (role === 'agent') this.invariants.agentStepped(this, before, after, event, asker);
      },
      onAct: (act, state, effect) => this.invariants.acts(this, act, state, effect),
    });
    const tearing = process.onDeath;
    process.onDeath = () => {
      journal.tear();
      tearing();
    };
    return { driver, journal };
  }

  /** Heals what the journal holds, then calls back. */
  recover(driver: SimDriver, journal: SimJournal, by: EndedBy, done: () => void): void {
    const capabilities = NEEDS.map((need) => ({ need, met: true, why: 'in memory' }));
    driver.dispatch({ event: 'probed', capabilities });
    driver.dispatch({ event: 'started', entries: journal.entries, by });
    driver.when(
      (state) => [...state.faults.values()].every((one) => hasEnded(one.state) || isStuck(one)),
      done,
    );
  }

  #agentDied(process: Process): void {
    const { agent } = this;
    if (agent?.process !== process) return;
    this.disturb();
    for (const connection of agent.connections) connection.close('agent');
    // What the agent's own timers kept going stands still.
    this.linux.trouble = { at: this.linux.effects.length + 1, how: 'crash-before' };
    this.linux.perform({ act: 'noop', token: 'crash' }).catch(() => {
      // That is the crash: it is how the machine notes it.
    });
    this.linux.restart();
    for (const guard of this.guards) guard.agentDied(process);
  }

  /** The machine loses power and starts again: everything that ran is gone. */
  reboot(): void {
    this.world.say(`${this.name}: reboots`);
    const guards = [...this.guards];
    this.guards.clear();
    for (const guard of guards) guard.kill();
    this.agent?.process.kill();
    for (const guard of guards) guard.kill();
    this.lock = undefined;
    this.disk.powerCut(this.world);
    this.linux.reboot();
    this.offsetMs = 5_000 - this.world.nowMs;
    this.invariants.rebooted(this);
    this.disturb();
  }

  /** As the link shows them: newest first. */
  statuses(): AgentFaultStatus[] {
    return statusesOf(this.agent?.driver?.state);
  }
}

function isStuck(fault: { state: string }): boolean {
  return fault.state === 'stuck';
}

function statusesOf(state: AgentState | undefined): AgentFaultStatus[] {
  return [...(state?.faults.values() ?? [])]
    .filter((fault) => !fault.dryRun)
    .map((fault) => statusOf(fault, state?.node ?? ''))
    .reverse();
}
