import type { Random } from '../base/random.ts';
import type { Loss } from './unsynced.ts';

/** An entry of a directory: the directory's node and the name's bytes as latin1 text. */
export interface Entry {
  directory: number;
  name: string;
}

/** A change of names, in the order they were made. Nodes are never reused within one history. */
export type NameChange =
  /** create, mkdir, mknod, symlink, link */
  | ({ what: 'made'; node: number } & Entry)
  /** unlink, rmdir */
  | ({ what: 'removed'; node: number } & Entry)
  /** rename; `replaced` was at `to` before, 0: nothing */
  | ({ what: 'moved' } & Move)
  /** Two names changed places: `node` was at the first, `replaced` at the second. */
  | ({ what: 'exchanged' } & Move);

interface Move extends Entry {
  node: number;
  to: Entry;
  replaced: number;
  /** A directory got another parent: only in order, or the tree could get a ring in it. */
  reparents: boolean;
}

/** `synced`: fsync of the file or directory that is this node. */
export type NameRecord = NameChange | { what: 'synced'; node: number };

/**
 * What an fsync makes durable of names.
 *  posix    of a directory: its entries. No more, as POSIX has it: what is in a directory whose own
 *           entry is lost is lost with it
 *  own      also, of a file: the names that lead to it, and of either what leads there (btrfs)
 *  journal  of anything: all that was done to names before (ext4, XFS)
 */
export type NameModel = 'posix' | 'own' | 'journal';
export const NAME_MODELS = ['posix', 'own', 'journal'] as const;

/**
 * Which changes a power cut undoes: indexes into the records, newest first. Undone in this order each
 * finds the entries as it left them; none depends on another that is gone.
 * Of what is not durable `all` is lost, or with `torn` what came after some instant, else each by chance.
 */
export function planNames(
  records: readonly NameRecord[],
  loss: Loss,
  model: NameModel,
  random: Random,
): number[] {
  const durable = durableChanges(records, model);
  const open = [...durable.keys()].filter((index) => !durable[index] && isChange(records[index]));
  const kept = new Set<number>();
  if (loss === 'torn') {
    for (const index of open.slice(0, random.below(open.length + 1))) kept.add(index);
  } else if (loss !== 'all') {
    for (const index of open) if (random.below(2) === 0) kept.add(index);
  }
  const survives = durable.map((is, index) => is || kept.has(index));
  return dropDependents(records, survives, model).reverse();
}

function isChange(record: NameRecord | undefined): record is NameChange {
  return record !== undefined && record.what !== 'synced';
}

/** Covered by an fsync, or something that is covered needs it. */
function durableChanges(records: readonly NameRecord[], model: NameModel): boolean[] {
  const durable = records.map(() => false);
  const synced = new Set<number>();
  const needs = new Needs();
  for (let index = records.length - 1; index >= 0; index--) {
    const record = records[index] as NameRecord;
    if (record.what === 'synced') synced.add(record.node);
    else if (isCovered(record, synced, model) || needs.takes(record, model)) {
      durable[index] = true;
      needs.add(record);
    }
  }
  return durable;
}

function isCovered(change: NameChange, synced: ReadonlySet<number>, model: NameModel): boolean {
  if (model === 'journal') return synced.size > 0;
  if (entriesOf(change).some((entry) => synced.has(entry.directory))) return true;
  return model === 'own' && change.what !== 'removed' && synced.has(change.node);
}

function entriesOf(change: NameChange): Entry[] {
  const first = { directory: change.directory, name: change.name };
  return change.what === 'made' || change.what === 'removed' ? [first] : [first, change.to];
}

/** What a change shares with others that can't hold without it, or it without them. */
function keysOf(change: NameChange): string[] {
  const keys = entriesOf(change).map(keyOf);
  const reparents = change.what !== 'made' && change.what !== 'removed' && change.reparents;
  return reparents ? [...keys, 'tree'] : keys;
}

const keyOf = (entry: Entry): string => `${entry.directory}/${entry.name}`;

/** What is removed for good: a directory among these was empty then. */
function removedBy(change: NameChange): number {
  if (change.what === 'removed') return change.node;
  return change.what === 'moved' ? change.replaced : 0;
}

/** What later changes that hold need of earlier ones. */
class Needs {
  readonly #keys = new Set<string>();
  readonly #directories = new Set<number>();
  readonly #empty = new Set<number>();
  readonly #named = new Set<number>();

  add(change: NameChange): void {
    for (const key of keysOf(change)) this.#keys.add(key);
    for (const { directory } of entriesOf(change)) this.#directories.add(directory);
    const removed = removedBy(change);
    if (removed !== 0) this.#empty.add(removed);
    if (change.what !== 'made') this.#named.add(change.node);
    if (removed !== 0) this.#named.add(removed);
  }

  takes(change: NameChange, model: NameModel): boolean {
    const entries = entriesOf(change);
    if (keysOf(change).some((key) => this.#keys.has(key))) return true;
    if (entries.some((entry) => this.#empty.has(entry.directory))) return true;
    if (model === 'posix') return false;
    const gives = change.what !== 'removed';
    // A directory that something durable is in; a file that lost another of its names for good.
    return gives && (this.#directories.has(change.node) || this.#named.has(change.node));
  }
}

/** Changes that don't survive: those given, and what depends on one of them. Oldest first. */
function dropDependents(
  records: readonly NameRecord[],
  survives: readonly boolean[],
  model: NameModel,
): number[] {
  const keys = new Set<string>();
  const gone = new Set<number>();
  const occupied = new Set<number>();
  const nodes = new Set<number>();
  const lost: number[] = [];
  for (const [index, record] of records.entries()) {
    if (!isChange(record)) continue;
    const entries = entriesOf(record);
    const removed = removedBy(record);
    const depends =
      keysOf(record).some((key) => keys.has(key)) ||
      entries.some((entry) => gone.has(entry.directory)) ||
      (removed !== 0 && occupied.has(removed)) ||
      (model !== 'posix' && takesNames(record).some((node) => nodes.has(node)));
    if (survives[index] === true && !depends) continue;
    lost.push(index);
    for (const key of keysOf(record)) keys.add(key);
    for (const { directory } of entries) occupied.add(directory);
    if (record.what === 'made') gone.add(record.node);
    if (record.what !== 'removed') nodes.add(record.node);
  }
  return lost;
}

function takesNames(change: NameChange): number[] {
  const removed = removedBy(change);
  return [...(change.what === 'made' ? [] : [change.node]), ...(removed === 0 ? [] : [removed])];
}
