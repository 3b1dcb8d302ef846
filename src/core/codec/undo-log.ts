import { parse, print, struct, type Values } from './fuse/struct.ts';

/*
 * The log of what was not fsynced (a memory file, written by all threads of a file system):
 *
 *   log    = record*                       ends at the first record of type 0, or where it is cut off
 *   record = head data? pad                pad: zeros to a multiple of 8
 *   head   = type node generation size offset                          24 bytes
 *
 *   mark     offset = the file's durable size; from here on its changes are recorded
 *   image    data = `size` durable bytes at `offset`, before they were changed
 *   synced   everything recorded of the node before is durable
 */
export const RECORD = { mark: 1, image: 2, synced: 3 } as const;
export type RecordType = (typeof RECORD)[keyof typeof RECORD];

export const RecordHead = struct({
  type: 'u32',
  node: 'u32',
  generation: 'u32',
  size: 'u32',
  offset: 'u64',
});
export type RecordHead = Values<(typeof RecordHead)['fields']>;

/** Bytes a record takes in the log. */
export function recordBytes(dataBytes: number): number {
  return (RecordHead.size + dataBytes + 7) & ~7;
}

export function printRecord(head: RecordHead, into: DataView): void {
  print(RecordHead, head, into);
}

/** The record's head at `at`, or undefined where the log ends. */
export function parseRecord(bytes: DataView, at = 0): RecordHead | undefined {
  const head = parse(RecordHead, bytes, at);
  return head === undefined || head.type === 0 ? undefined : head;
}
