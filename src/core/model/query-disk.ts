/** Read-only questions about disks. */
export type DiskQuery =
  /** The mounts of ours that this node has; `directory`: the one that must be held, if one is named. */
  | { query: 'diskMounts'; directory?: string }
  /** What a fault has done so far. */
  | { query: 'diskFault'; token: string; mountPoint: string }
  /** What a power cut has lost so far, over all its mounts. */
  | { query: 'diskPowerCut'; token: string };

export function isDiskQuery(query: { query: string }): query is DiskQuery {
  return query.query.startsWith('disk');
}

export interface DiskMountFacts {
  mountPoint: string;
  /** The directory that it shows. */
  target: string;
  /** Its process answers. */
  alive: boolean;
  /** It knows what was not fsynced: a power cut can lose it. */
  tracking: boolean;
}

export type DiskAnswer =
  | { query: 'diskMounts'; mounts: DiskMountFacts[] }
  /** Requests that matched, and those that were hit; zeros where it is not in force. */
  | { query: 'diskFault'; inForce: boolean; matched: number; hits: number }
  | { query: 'diskPowerCut'; mounts: number; files: number; bytes: number; names: number };
