import { ClockOffset } from '../../src/core/coordinator/clock-offset.ts';
import type { Command, MachineEvent } from '../../src/core/coordinator/machine-types.ts';
import type { AgentReply } from '../../src/core/agent/event.ts';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import type { SimCoordinator } from './coordinator.ts';
import { Connection } from './network.ts';
import type { AgentConnection, SimNode } from './node.ts';
import { takeFrame, type AgentFrame } from './protocol.ts';
import type { World } from './world.ts';

const HANDSHAKE_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const RETRY_FIRST_MS = 200;
const RETRY_LAST_MS = 3_000;
const CLOCK_FIRST = 8;
const CLOCK_ROUND = 4;
const CLOCK_ROUND_MS = 5_000;

type Waiting = (frame: AgentFrame | undefined) => void;
type AnswerEvent = Extract<MachineEvent, { event: 'answer' }>;

/** host/coordinator/agent-link.ts and links.ts in virtual time. */
export class CoordinatorLink {
  readonly node: SimNode;
  readonly #coordinator: SimCoordinator;
  readonly #world: World;
  connection: AgentConnection | undefined;
  /** Dialling gets nowhere until then. */
  cutUntilMs = 0;
  #isUp = false;
  #early: AgentFrame[] = [];
  #retryMs = RETRY_FIRST_MS;
  #seq = 0;
  #waiting = new Map<number, Waiting>();

  constructor(coordinator: SimCoordinator, node: SimNode, world: World) {
    this.#coordinator = coordinator;
    this.node = node;
    this.#world = world;
  }

  close(): void {
    this.connection?.close('coordinator');
  }

  dial(): void {
    const { process } = this.#coordinator;
    process.after(this.#world.drawMs(0.1, 3), () => {
      const { agent } = this.node;
      if (this.cutUntilMs > this.#world.nowMs || agent?.process.stopped === true)
        return void process.after(HANDSHAKE_TIMEOUT_MS, () => this.#again());
      if (!agent?.process.alive || !agent.listens) return this.#again();
      this.#open(agent);
    });
  }

  #open(agent: NonNullable<SimNode['agent']>): void {
    const { process } = this.#coordinator;
    const connection: AgentConnection = new Connection(
      this.#world,
      {
        process,
        onFrame: (frame) => this.#onFrame(connection, frame),
        onLost: () => this.#lost(connection),
      },
      {
        process: agent.process,
        onFrame: (frame) => takeFrame(this.node, connection, frame),
        onLost: () => void agent.connections.delete(connection),
      },
    );
    agent.connections.add(connection);
    this.connection = connection;
    const faults = this.node.statuses();
    connection.toCoordinator({ frame: 'status', faults, complete: true });
    const offset = new ClockOffset();
    this.#exchange(connection, offset, CLOCK_FIRST, () => {
      const clock = offset.estimate(this.#coordinator.now().bootMs);
      if (clock === undefined) return;
      this.#retryMs = RETRY_FIRST_MS;
      this.#isUp = true;
      const { name } = this.node;
      this.#coordinator.dispatch({
        event: 'linkUp',
        node: name,
        clock,
        coordinatorAddresses: ['198.18.0.254'],
      });
      for (const frame of this.#early.splice(0)) this.#take(frame);
      this.#round(connection, offset);
    });
  }

  #round(connection: AgentConnection, offset: ClockOffset): void {
    this.#coordinator.process.after(CLOCK_ROUND_MS, () => {
      if (this.connection !== connection) return;
      this.#exchange(connection, offset, CLOCK_ROUND, () => {
        const clock = offset.estimate(this.#coordinator.now().bootMs);
        if (clock) this.#coordinator.dispatch({ event: 'clock', node: this.node.name, clock });
      });
      this.#round(connection, offset);
    });
  }

  #exchange(
    connection: AgentConnection,
    offset: ClockOffset,
    count: number,
    done: () => void,
  ): void {
    if (count === 0) return done();
    const askedMs = this.#coordinator.now().bootMs;
    const seq = this.#wait((frame) => {
      if (this.connection !== connection || frame?.frame !== 'clock') return;
      const answeredMs = this.#coordinator.now().bootMs;
      offset.add({ askedMs, answeredMs, theirsMs: frame.bootMs });
      this.#exchange(connection, offset, count - 1, done);
    });
    connection.toAgent({ frame: 'clock', seq });
  }

  #wait(done: Waiting): number {
    this.#seq += 1;
    this.#waiting.set(this.#seq, done);
    return this.#seq;
  }

  /** One command; its answer, or the lack of one, comes as an event. */
  send(command: Command, done: (event: AnswerEvent) => void): void {
    const { name } = this.node;
    const { connection } = this;
    const none: AnswerEvent = { event: 'answer', node: name, command, status: 0 };
    if (!connection) return void this.#coordinator.process.after(0, () => done(none));
    const { owner } = this.#coordinator;
    const cancel = this.#coordinator.process.after(REQUEST_TIMEOUT_MS, () => {
      if (this.#waiting.delete(seq)) done(none);
    });
    const seq = this.#wait((frame) => {
      cancel();
      if (frame?.frame !== 'answer')
        return void this.#coordinator.process.after(0, () => done(none));
      done(answerOf(name, command, frame.reply));
    });
    connection.toAgent({ frame: 'command', seq, owner, command });
  }

  #onFrame(connection: AgentConnection, frame: AgentFrame): void {
    if (this.connection !== connection) return;
    if (frame.frame === 'status') {
      if (this.#isUp) this.#take(frame);
      else this.#early.push(frame);
      return;
    }
    const waiting = this.#waiting.get(frame.seq);
    this.#waiting.delete(frame.seq);
    waiting?.(frame);
  }

  #take(frame: AgentFrame): void {
    if (frame.frame !== 'status') return;
    const { faults, complete } = frame;
    this.#coordinator.dispatch({ event: 'status', node: this.node.name, faults, complete });
  }

  #lost(connection: AgentConnection): void {
    if (this.connection !== connection) return;
    this.connection = undefined;
    this.#early = [];
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) one(undefined);
    const wasUp = this.#isUp;
    this.#isUp = false;
    if (wasUp) this.#coordinator.dispatch({ event: 'linkDown', node: this.node.name });
    this.#again();
  }

  #again(): void {
    const waitMs = this.#retryMs * (0.75 + this.#world.random.below(500) / 1000);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_LAST_MS);
    this.#coordinator.process.after(waitMs, () => this.dial());
  }
}

function answerOf(node: string, command: Command, reply: AgentReply): AnswerEvent {
  const event: AnswerEvent = { event: 'answer', node, command, status: reply.status };
  if ('body' in reply) {
    const fault = reply.body as Partial<AgentFaultStatus> | null;
    if (typeof fault?.id === 'string' && typeof fault.state === 'string' && 'receipt' in fault)
      event.fault = fault as AgentFaultStatus;
    return event;
  }
  event.detail = reply.detail;
  if (reply.problems !== undefined) event.problems = reply.problems;
  if (reply.conflictsWith !== undefined) event.conflictsWith = reply.conflictsWith;
  else if (reply.status === 409)
    event.conflictsWith = command.command === 'arm' ? command.id : node;
  return event;
}
