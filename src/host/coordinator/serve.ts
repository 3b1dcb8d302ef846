import { readFileSync } from 'node:fs';
import { destination, pino, type Logger } from 'pino';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { parseRatio } from '../../core/base/ratio.ts';
import type { MachineSettings } from '../../core/coordinator/machine-types.ts';
import { DEFAULT_LIMITS } from '../../core/coordinator/safety.ts';
import { COORDINATOR_ROUTES } from '../../core/model/api.ts';
import type { Limits } from '../../core/model/scenario.ts';
import type { Cluster } from '../../core/model/topology.ts';
import { serveRoutes, type HttpServer, type TlsOptions } from '../http-server.ts';
import { parseListen } from '../http/listen.ts';
import { firstToken, readTokenFile, tokenFileIn } from '../http/tokens.ts';
import { ClusterView } from '../kafka/view.ts';
import { lockState } from '../lock.ts';
import type { TrogdorNode } from '../../core/trogdor/config.ts';
import { checkSameNodes, clusterOfTrogdor, readTrogdorFile } from '../trogdor/config-file.ts';
import { openCoordinatorDoor, type CoordinatorDoorOptions } from '../trogdor/open.ts';
import type { TrogdorServer } from '../trogdor/serve.ts';
import { AuditLog } from './audit.ts';
import { readClusterFile } from './cluster-file.ts';
import { Coordinator } from './coordinator.ts';
import { coordinatorBodyChecks, coordinatorHandlers } from './routes.ts';
import { CoordinatorRuns } from './runs.ts';
import { Store } from './store.ts';

/** What `faultline coordinator` is called with. */
export interface CoordinatorFlags {
  listen: string;
  state: string;
  /** May be missing where trogdorConfig says which nodes there are. */
  cluster?: string;
  tokenFile?: string;
  agentTokenFile?: string;
  insecure: boolean;
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  agentTlsCa?: string;
  agentTlsCert?: string;
  agentTlsKey?: string;
  hostName?: string;
  /** Most nodes harmed at once. */
  limitNodes?: number;
  /** Largest share of a role harmed at once. */
  limitRoleShare?: string;
  /** Where to serve Trogdor's protocol, too: a port, or HOST:PORT. */
  trogdor?: string;
  trogdorConfig?: string;
  /** Shows states of Trogdor's tasks when Trogdor would, not when they are true. */
  trogdorStrict?: boolean;
}

function readPem(flag: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure('bad-tls-file', `${flag} ${path}: ${reasonOf(error)}`, {
      definite: true,
      cause: error,
    });
  }
}

function tlsOf(flags: CoordinatorFlags): TlsOptions | undefined {
  const cert = readPem('--tls-cert', flags.tlsCert);
  const key = readPem('--tls-key', flags.tlsKey);
  const clientCa = readPem('--tls-ca', flags.tlsCa);
  if (cert === undefined && key === undefined && clientCa === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new Failure('bad-tls', '--tls-cert and --tls-key belong together', { definite: true });
  return clientCa === undefined ? { cert, key } : { cert, key, clientCa };
}

function agentTlsOf(flags: CoordinatorFlags): { ca?: string; cert?: string; key?: string } {
  const ca = readPem('--agent-tls-ca', flags.agentTlsCa);
  const cert = readPem('--agent-tls-cert', flags.agentTlsCert);
  const key = readPem('--agent-tls-key', flags.agentTlsKey);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function limitsOf({ limitNodes, limitRoleShare }: CoordinatorFlags): Limits {
  if (limitRoleShare !== undefined && parseRatio(limitRoleShare) === undefined)
    throw new Failure('bad-limit', `--limit-role-share ${limitRoleShare}: expected 1/2 or 50%`, {
      definite: true,
    });
  return {
    ...DEFAULT_LIMITS,
    ...(limitNodes === undefined ? {} : { nodes: limitNodes }),
    ...(limitRoleShare === undefined ? {} : { roleShare: limitRoleShare }),
  };
}

function makeView(cluster: Cluster): ClusterView | undefined {
  const { kafka } = cluster;
  return kafka && new ClusterView(kafka.bootstrap, kafka.properties ?? {});
}

/** Tests make theirs differ in these. */
export interface ServeExtras {
  logger?: Logger;
  settings?: Partial<MachineSettings>;
  /** Somebody asked for the daemon's end, through Trogdor's protocol. */
  shutdown?: () => void;
}

export interface ServedCoordinator {
  coordinator: Coordinator;
  url: string;
  /** Of Trogdor's protocol, where it is served. */
  trogdorUrl?: string;
  tokenFile: string;
  close(): Promise<void>;
}

/** The state may be wrong: no more of it. What stands heals by lease or deadline, or at the next start. */
function stopOnBug(logger: Logger): (error: unknown) => void {
  return (error) => {
    logger.fatal({ err: error }, 'a bug was found: the coordinator stops');
    process.exit(70);
  };
}

async function clusterOfFlags(
  flags: CoordinatorFlags,
): Promise<{ cluster: Cluster; trogdorNodes: TrogdorNode[] }> {
  const trogdorNodes =
    flags.trogdorConfig === undefined ? [] : readTrogdorFile(flags.trogdorConfig);
  if (flags.cluster === undefined)
    return { cluster: await clusterOfTrogdor(trogdorNodes), trogdorNodes };
  const cluster = readClusterFile(flags.cluster);
  checkSameNodes(cluster, trogdorNodes);
  return { cluster, trogdorNodes };
}

async function openDoor(
  flags: CoordinatorFlags,
  rest: Omit<CoordinatorDoorOptions, 'at' | 'insecure' | 'hostNames' | 'shutdown'> & ServeExtras,
): Promise<TrogdorServer | undefined> {
  if (flags.trogdor === undefined) return undefined;
  return openCoordinatorDoor({
    ...rest,
    at: flags.trogdor,
    strict: flags.trogdorStrict ?? false,
    insecure: flags.insecure,
    hostNames: flags.hostName?.split(',') ?? [],
    shutdown: rest.shutdown ?? (() => undefined),
  });
}

/**
 * Starts a coordinator and opens its port.
 * @throws Failure: one clear line about what it lacks; nothing of it is left running then.
 */
export async function startCoordinator(
  flags: CoordinatorFlags,
  extras: ServeExtras = {},
): Promise<ServedCoordinator> {
  const level = process.env['FAULTLINE_LOG'] ?? 'info';
  const logger = extras.logger ?? pino({ level }, destination({ fd: 2, sync: true }));
  const listen = parseListen(flags.listen);
  const { cluster, trogdorNodes } = await clusterOfFlags(flags);
  const [tls, agentTls] = [tlsOf(flags), agentTlsOf(flags)];
  const limits = limitsOf(flags);
  const lock = await lockState(flags.state, 'coordinator', { waitMs: 0, waitFor: () => false });
  const tokenFile =
    flags.tokenFile ?? process.env['FAULTLINE_TOKEN_FILE'] ?? tokenFileIn(flags.state);
  const tokens = readTokenFile(tokenFile);
  const token = firstToken(flags.agentTokenFile ?? tokenFile);
  const store = new Store(flags.state);
  const audit = new AuditLog(flags.state, logger);
  const view = makeView(cluster);
  const onBug = stopOnBug(logger);
  const coordinator = new Coordinator({
    cluster,
    store,
    stateDirectory: flags.state,
    limits,
    agents: { token, tls: agentTls },
    ...(view ? { view } : {}),
    ...(extras.settings ? { settings: extras.settings } : {}),
    logger,
    onBug,
  });
  const runs = new CoordinatorRuns(coordinator, logger);
  const closeRest = async (): Promise<void> => {
    await runs.close();
    coordinator.close();
    view?.close();
    audit.close();
    store.close();
    lock.release();
  };
  let server: HttpServer | undefined;
  try {
    server = await serveRoutes({
      routes: COORDINATOR_ROUTES,
      handlers: coordinatorHandlers({ coordinator, runs, audit }),
      bodyChecks: coordinatorBodyChecks(coordinator),
      tokens,
      listen,
      insecure: flags.insecure,
      ...(tls ? { tls } : {}),
      ...(flags.hostName === undefined ? {} : { hostNames: flags.hostName.split(',') }),
      logger,
      onBug,
    });
    view?.start();
    coordinator.start();
    runs.start();
    const door = await openDoor(flags, { coordinator, trogdorNodes, logger, ...extras });
    const close = async (): Promise<void> => {
      await door?.close();
      await server?.close();
      await closeRest();
    };
    const urls = door ? { url: server.url, trogdorUrl: door.url } : { url: server.url };
    return { coordinator, ...urls, tokenFile, close };
  } catch (error) {
    await server?.close();
    await closeRest();
    throw error;
  }
}
