/** Read-only questions about disks. */
export type DiskQuery =
  /** The mounts of ours that this node has; `directory`: the one that must be held, if one is named. */
  | { query: 'diskMounts'; directory?: string }
  /** What a fault has done so far. */
  | { query: 'diskFault'; token: string; mountPoint: string }
  /** What a power cut has lost so far, over all its mounts. */
  | { query: 'diskPowerCut'; token: string }
  /** The file system below a directory. */
  | { query: 'diskSpace'; directory: string }
  /** Bytes of a file at drawn places: see FilePlaces. */
  | ({ query: 'diskFile' } & FilePlaces)
  /** Whether every window of a file is as it was said to be. */
  | { query: 'diskBytes'; path: string; windows: { offset: number; is: string }[] };

/** A file, by its path or as a segment of a topic-partition, and places in it. */
export interface FilePlaces {
  path?: string;
  segment?: { directory: string; topicPartition: string; which: 'oldest' | 'newest' };
  from: number;
  /** Infinity as null: to the end. */
  to: number | null;
  /** Each one draws a place: 0 to 2^32 - 1, over the range. */
  draws: number[];
  /** How many bytes around each place. */
  around: number;
}

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
  /** Requests that matched, and those that were hit, up to its end: zeros of one that is not known. */
  | { query: 'diskFault'; inForce: boolean; matched: number; hits: number }
  | { query: 'diskPowerCut'; mounts: number; files: number; bytes: number; names: number }
  | { query: 'diskSpace'; space?: DiskSpace; why?: string }
  | { query: 'diskFile'; file?: DiskFile; why?: string }
  | { query: 'diskBytes'; same: boolean };

export interface DiskSpace {
  /** Name of the device, for claims. */
  device: string;
  totalBytes: number;
  /** To a program without privileges. */
  availableBytes: number;
  /** The agent's own state is on it. */
  ownState: boolean;
  /** It is shown by a file system of ours. */
  ours: boolean;
  /** Where the file system is memory (tmpfs, ramfs): how much of it the machine has available. */
  memoryBytes?: number;
}

export interface DiskFile {
  path: string;
  inode: number;
  bytes: number;
  /** One for each draw; `at` is the place itself, the bytes begin at `offset` (hexadecimal). */
  windows: { at: number; offset: number; was: string }[];
}
