import { join } from 'node:path';
import { Failure } from '../../core/base/failure.ts';
import { initialState } from '../../core/agent/state.ts';
import { hasEnded } from '../../core/model/lifecycle.ts';
import { hitEvent } from '../../core/disk/hits.ts';
import type { LinkEvent } from '../../core/model/link.ts';
import { bootClock } from '../boot-clock.ts';
import { readBootId } from '../clock.ts';
import { Guard } from '../guard.ts';
import type { HttpServer, ServerLogger, TlsOptions } from '../http-server.ts';
import type { ListenAddress } from '../http/listen.ts';
import type { Tokens } from '../http/tokens.ts';
import { openJournalFile, SlotJournal } from '../journal.ts';
import type { Linux } from '../linux/linux.ts';
import { lockState, type StateLock } from '../lock.ts';
import { audited } from './audit.ts';
import { keepServices } from '../this-machine.ts';
import { isClosed, keepClosed } from './closed.ts';
import { loadAgentConfig, type LoadedConfig } from './config.ts';
import { AgentDriver } from './driver.ts';
import { DiskWatch } from './disk-watch.ts';
import { AgentEvents } from './events.ts';
import { agentHandlers, listFaults } from './handlers.ts';
import type { Links } from './link.ts';
import { Workloads } from './workloads.ts';

/** A healer that is at work is waited for; it leaves everything healed. */
const HEALER_WAIT_MS = 20_000;
/** How long a stop may take to heal everything; what is left then is the guard's. */
const STOP_MS = 10_000;

export interface AgentOptions {
  node: string;
  stateDirectory: string;
  configFile?: string;
  cluster?: string;
  makeLinux: (config: LoadedConfig) => Linux;
  logger: ServerLogger & { info(data: object, message: string): void };
  onBug: (error: unknown) => void;
}

export interface ListenOptions {
  listen: ListenAddress;
  tokens: Tokens;
  insecure: boolean;
  tls?: TlsOptions;
  hostNames?: readonly string[];
}

/** The agent of a node: lock, journal, guard and machine; with `listen`, its REST API. */
export class Agent {
  readonly driver: AgentDriver;
  readonly events = new AgentEvents();
  readonly #options: AgentOptions;
  readonly #config: LoadedConfig;
  readonly #linux: Linux;
  readonly #lock: StateLock;
  readonly #journal: SlotJournal;
  readonly #guard: Guard;
  readonly #probed: Promise<void>;
  readonly #disks: DiskWatch;
  #links: Links | undefined;
  readonly workloads: Workloads;
  #server: HttpServer | undefined;

  private constructor(
    options: AgentOptions,
    parts: {
      config: LoadedConfig;
      lock: StateLock;
      journal: SlotJournal;
      linux: Linux;
      guard: (restarted: () => void) => Guard;
    },
  ) {
    this.#options = options;
    this.#config = parts.config;
    this.#lock = parts.lock;
    this.#journal = parts.journal;
    this.#linux = parts.linux;
    this.workloads = new Workloads(
      options.stateDirectory,
      parts.config.externalCommands,
      (id, status) => this.#links?.broadcast({ frame: 'workload', id, status }),
    );
    this.#guard = parts.guard(() => this.driver.beatAgain());
    this.#guard.start();
    const limits =
      parts.config.maxDurationMs === undefined ? {} : { durationMs: parts.config.maxDurationMs };
    const state = initialState({
      node: options.node,
      bootId: readBootId(),
      agentPort: 0,
      ownNodes: parts.config.ownNodes,
      limits,
      closed: isClosed(options.stateDirectory),
    });
    this.driver = new AgentDriver(
      {
        linux: this.#linux,
        journal: this.#journal,
        clock: bootClock,
        beat: (due) => this.#guard.beat(due),
        remember: (closed) => this.#remember(closed),
        onStatus: (status) => {
          this.#disks.learn();
          this.events.status(status);
          this.#links?.broadcast({ frame: 'status', faults: [status], complete: false });
          const { id, instance, state, endedBy, error } = status;
          options.logger.info({ fault: id, instance, endedBy, error }, `fault ${state}`);
        },
        onBug: options.onBug,
      },
      state,
    );
    this.#probed = this.#probe();
    this.#disks = this.#watchDisks();
  }

  #watchDisks(): DiskWatch {
    return new DiskWatch({
      state: () => this.driver.state,
      onHit: (fault, note) => this.#tell(hitEvent(fault, note)),
      onEnd: (mountPoint, detached) => {
        const left = detached ? '; its mount is detached' : '';
        const message = `the file system at ${mountPoint} has ended${left}`;
        this.#tell({ type: 'disk.ended', message, data: { mountPoint, detached } });
        this.driver.dispatch({ event: 'diskEnded', mountPoint });
      },
      onTrouble: (error, mountPoint) =>
        this.#options.logger.info({ err: error, mountPoint }, 'a file system is slow to answer'),
    });
  }

  /** To whoever follows events, here and at the coordinators. */
  #tell(event: LinkEvent): void {
    this.events.note(this.#options.node, event);
    this.#links?.broadcast({ frame: 'event', event });
    this.#options.logger.info({ type: event.type, fault: event.fault }, event.message);
  }

  /**
   * Takes the state directory, starts the guard and heals what an earlier agent left.
   * @throws Failure: the directory is held, the journal or the guard can't be had.
   */
  static async start(options: AgentOptions): Promise<Agent> {
    const config = await loadAgentConfig(options.configFile, options.node);
    const lock = await lockState(options.stateDirectory, 'agent', {
      waitMs: HEALER_WAIT_MS,
      waitFor: (holder) => holder?.role === 'healer',
    });
    const file = await openJournalFile(join(options.stateDirectory, 'journal'));
    const { journal, entries } = await SlotJournal.open(
      file,
      (error) => options.logger.error({ err: error }, 'the journal could not be written'),
      Math.floor(Date.now() / 10),
    );
    keepServices(options.stateDirectory, config.services);
    const linux = options.makeLinux(config);
    const guard = (restarted: () => void): Guard => new Guard(options.stateDirectory, restarted);
    const agent = new Agent(options, { config, lock, journal, linux, guard });
    await agent.driver.recover(entries, 'agentRestart');
    agent.#disks.start();
    return agent;
  }

  get guardPid(): number | undefined {
    return this.#guard.pid;
  }

  /** Resolves when every need was probed. */
  get probed(): Promise<void> {
    return this.#probed;
  }

  async #probe(): Promise<void> {
    try {
      this.driver.dispatch({ event: 'probed', capabilities: await this.#linux.needs() });
    } catch (error) {
      // Every need stays unmet, and each fault that has one is refused with its name.
      this.#options.logger.error({ err: error }, 'the needs could not be probed');
    }
  }

  async #remember(closed: boolean): Promise<void> {
    try {
      await keepClosed(this.#options.stateDirectory, closed);
    } catch (error) {
      // A full disk must not keep anything from healing: this agent knows, the next one may not.
      this.#options.logger.error({ err: error, closed }, 'a restart will not know this any more');
    }
  }

  /** Opens the port. @throws Failure: taken, or beyond loopback without TLS. */
  async listen(options: ListenOptions): Promise<HttpServer> {
    const { node, cluster, logger, onBug } = this.#options;
    const { workloads } = this;
    // An agent without a port, as for one task, need not carry a server in memory.
    const [{ AGENT_ROUTES }, { serveRoutes }, { Links: LinksOfNode }] = await Promise.all([
      import('../../core/model/api.ts'),
      import('../http-server.ts'),
      import('./link.ts'),
    ]);
    const ofFaults = agentHandlers({
      node,
      driver: this.driver,
      linux: this.#linux,
      services: this.#config.services,
      events: this.events,
      probed: this.#probed,
    });
    const handlers = audited({ ...ofFaults, ...workloads.handlers() }, logger);
    const links = new LinksOfNode({
      node,
      cluster,
      handlers,
      statuses: () => listFaults(this.driver.state),
      log: (message) => logger.info({}, message),
    });
    const server = await serveRoutes({
      routes: AGENT_ROUTES,
      handlers,
      tokens: options.tokens,
      listen: options.listen,
      insecure: options.insecure,
      ...(options.tls ? { tls: options.tls } : {}),
      ...(options.hostNames ? { hostNames: options.hostNames } : {}),
      logger,
      onUpgrade: (upgrade) => links.accept(upgrade),
      onBug,
    });
    this.#links = links;
    workloads.watch();
    this.#server = server;
    this.driver.dispatch({ event: 'listening', agentPort: server.port });
    return server;
  }

  /**
   * Heals everything (`endedBy: agentRestart`, because nobody asked for the faults to end) and goes.
   * What does not heal in time is left to the guard.
   * @throws Failure 'not-healed'
   */
  async stop(): Promise<void> {
    const allEnded = (): boolean =>
      [...this.driver.state.faults.values()].every((fault) => hasEnded(fault.state));
    this.driver.dispatch({ event: 'stop' });
    await this.driver.until(allEnded, AbortSignal.timeout(STOP_MS));
    const healed = allEnded();
    this.workloads.close();
    await this.workloads.endBenches();
    this.#links?.close();
    await this.#server?.close();
    this.driver.close();
    this.#disks.close();
    if (healed) {
      this.#guard.end();
      await this.#journal.idle();
    }
    this.#lock.release();
    if (!healed)
      throw new Failure('not-healed', 'not everything has healed; the guard goes on trying', {
        definite: false,
      });
  }
}
