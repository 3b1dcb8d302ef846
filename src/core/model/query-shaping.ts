import type { StageSort } from './shape-stage.ts';

/** By which devices addresses are reached, and what shapes packets there. */
export type EgressQuery = { query: 'egress'; addresses: string[] };

/** A fault that shapes packets as they leave. */
export interface Shaper {
  faultId: string;
  sort: StageSort;
  /** Names of nodes. */
  peers: string[];
}

export interface EgressAnswer {
  query: 'egress';
  /** Without an address that there is no way to. */
  devices: Record<string, string>;
  /** By device: why its qdiscs can't be replaced and put back as they are. */
  foreign: Record<string, string>;
  shapers: Shaper[];
}
