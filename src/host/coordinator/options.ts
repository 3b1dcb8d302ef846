import type { MachineSettings } from '../../core/coordinator/machine-types.ts';
import type { Limits } from '../../core/model/scenario.ts';
import type { Cluster, ClusterSnapshot } from '../../core/model/topology.ts';
import type { LinkOptions } from './agent-link.ts';
import type { Store } from './store.ts';

/** The part of host/kafka/view.ts that is needed here; tests give a fixed one. */
export interface LiveView {
  snapshot(): ClusterSnapshot;
  refresh(): Promise<ClusterSnapshot>;
}

export interface CoordinatorLogger {
  info(data: object, message: string): void;
  error(data: object, message: string): void;
}

export interface CoordinatorOptions {
  cluster: Cluster;
  store: Store;
  stateDirectory: string;
  limits: Limits;
  agents: Pick<LinkOptions, 'token' | 'tls'>;
  view?: LiveView;
  settings?: Partial<MachineSettings>;
  logger: CoordinatorLogger;
  /** A bug was found: the daemon is to stop. */
  onBug: (error: unknown) => void;
}
