/** What a request does, in the words of `match.op`. */
export const OPERATIONS = [
  'lookup',
  'getattr',
  'setattr',
  'truncate',
  'readlink',
  'symlink',
  'mknod',
  'mkdir',
  'unlink',
  'rmdir',
  'rename',
  'link',
  'open',
  'create',
  'read',
  'write',
  'flush',
  'fsync',
  'opendir',
  'readdir',
  'fsyncdir',
  'statfs',
  'setxattr',
  'getxattr',
  'listxattr',
  'removexattr',
  'fallocate',
  'lseek',
  'copy',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Everything that changes the file system. */
const MUTATE: readonly Operation[] = [
  'setattr',
  'truncate',
  'symlink',
  'mknod',
  'mkdir',
  'unlink',
  'rmdir',
  'rename',
  'link',
  'create',
  'write',
  'setxattr',
  'removexattr',
  'fallocate',
  'copy',
];

const DATA: readonly Operation[] = ['read', 'write', 'copy'];
const SYNC: readonly Operation[] = ['fsync', 'fsyncdir'];

/** Names for several operations at once. */
export const GROUPS = {
  data: DATA,
  sync: SYNC,
  metadata: OPERATIONS.filter((op) => !DATA.includes(op) && !SYNC.includes(op) && op !== 'flush'),
  mutate: MUTATE,
  all: OPERATIONS,
} as const;
export type Group = keyof typeof GROUPS;

/** Bit of an operation in a set of operations. */
export function operationBit(operation: Operation): number {
  return 1 << OPERATIONS.indexOf(operation);
}

/** The set of operations that names and groups stand for. */
export function operationSet(names: readonly (Operation | Group)[]): number {
  let set = 0;
  for (const name of names) {
    // What is still to be checked may have any name, and every object has a 'constructor'.
    const isGroup = typeof name === 'string' && Object.hasOwn(GROUPS, name);
    const group = isGroup ? GROUPS[name as Group] : [name as Operation];
    for (const operation of group) set |= operationBit(operation);
  }
  return set;
}

/** Whether the kernel answers some of these from its caches of names and attributes. */
export function isCachedMetadata(set: number): boolean {
  return (
    (set & operationSet(['lookup', 'getattr', 'readlink', 'readdir', 'open', 'opendir'])) !== 0
  );
}
