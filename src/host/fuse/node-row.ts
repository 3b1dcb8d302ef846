/** What a row of the node table is; the table itself is node-table.ts. */

/** Columns of a node's row. Descriptors and links are kept plus one: 0 is none. */
export const NODE = {
  inoLow: 0,
  inoHigh: 1,
  device: 2,
  lookups: 3,
  link: 4,
  pin: 5,
  open: 6,
  flags: 7,
  next: 8,
  generation: 9,
  references: 10,
  durableLow: 11,
  durableHigh: 12,
  durableEpoch: 13,
  type: 14,
  /** Counts up with every name given or taken, also from one inode of the row to the next. */
  naming: 15,
} as const;

/** The file had a set-user-id or set-group-id bit or a capability when we last looked. */
export const PRIVILEGED = 1;
/** Kept although the kernel forgot it: unsynced changes refer to it. */
export const TRACKED = 2;

export const ROOT = 1;
