import { assert } from '../base/assert.ts';
import { STAGE_SORTS, type ShapeStage } from '../model/shape-stage.ts';

/**
 * The tree of classes that shapes packets on a device (tc(8), tc-htb(8), tc-netem(8)):
 *
 *   root fa17: htb, whose default is to pass packets by
 *     class fa17:<minor> of each peer and each set of faults that may meet a packet to it
 *       leaf <minor>: netem, or bfifo for a rate alone
 *
 * A packet's class is in its priority (SO_PRIORITY in socket(7) has the same field), which nftables sets:
 * one that no table gives a class is in none. minor = peer * 16 + the faults' slots as bits.
 */
export const ROOT = 'fa17';
/** Faults that can shape packets at once. */
export const SLOTS = 4;
/** Of peers: above them are handles that are taken, ours among them. */
export const PEERS_MAX = 3_500;

/** A fault as the kernel's tables show it. */
export interface StandingShaper {
  table: string;
  faultId: string;
  slot: number;
  stage: ShapeStage;
  devices: string[];
  peers: { index: number; name: string }[];
}

export interface ShapeClass {
  minor: number;
  stages: ShapeStage[];
}

/** A qdisc as `tc -j qdisc show` lists it. */
export interface ListedQdisc {
  kind: string;
  handle: string;
  dev: string;
  root?: boolean;
  parent?: string;
}

export function readQdiscs(json: string): ListedQdisc[] {
  return (JSON.parse(json) as ListedQdisc[]).filter(({ dev }) => typeof dev === 'string');
}

/** All classes that these faults need on a device. */
export function classesOf(shapers: readonly StandingShaper[], device: string): ShapeClass[] {
  const here = shapers.filter(({ devices }) => devices.includes(device));
  const peers = [...new Set(here.flatMap((each) => each.peers.map(({ index }) => index)))];
  return peers
    .sort((left, right) => left - right)
    .flatMap((index) => {
      const meeting = here.filter((each) => each.peers.some((peer) => peer.index === index));
      return subsets(meeting).map((some) => ({
        minor: some.reduce((minor, { slot }) => minor + (1 << slot), index << SLOTS),
        stages: some.map(({ stage }) => stage).sort((left, right) => order(left) - order(right)),
      }));
    });
}

const order = ({ sort }: ShapeStage): number => STAGE_SORTS.indexOf(sort);

/** All but the empty one. */
function subsets<T>(items: readonly T[]): T[][] {
  const count = 2 ** items.length;
  return Array.from({ length: count - 1 }, (_, at) =>
    items.filter((_item, bit) => ((at + 1) & (1 << bit)) !== 0),
  );
}

const hex = (minor: number): string => minor.toString(16);

/** Minors of the classes that have a leaf. */
export function minorsOn(qdiscs: readonly ListedQdisc[], device: string): Set<number> {
  const minors = qdiscs.flatMap(({ dev, parent = '' }) => {
    const [root, minor = ''] = parent.split(':');
    return dev === device && root === ROOT && minor !== '' ? [Number.parseInt(minor, 16)] : [];
  });
  return new Set(minors);
}

export function hasTree(qdiscs: readonly ListedQdisc[], device: string): boolean {
  return qdiscs.some(({ dev, root, handle, kind }) => {
    return dev === device && root === true && handle === `${ROOT}:` && kind === 'htb';
  });
}

/** Devices with a tree of ours. */
export function treesIn(qdiscs: readonly ListedQdisc[]): string[] {
  return [...new Set(qdiscs.map(({ dev }) => dev))].filter((device) => hasTree(qdiscs, device));
}

/** What hangs at the way in is not touched by a new root. */
const isInward = ({ kind }: ListedQdisc): boolean => kind === 'ingress' || kind === 'clsact';

/**
 * Why a device's qdiscs would not come back as they are if ours were deleted; undefined: they would.
 * The kernel gives those it makes itself the handle 0, and lets nobody change them; it makes them again
 * when a root is deleted, of the kind that is its default by then.
 * @param standard net.core.default_qdisc; undefined where it can't be read.
 */
export function foreignOn(
  qdiscs: readonly ListedQdisc[],
  device: string,
  standard: string | undefined,
): string | undefined {
  if (hasTree(qdiscs, device)) return undefined;
  const there = qdiscs.filter((qdisc) => qdisc.dev === device && !isInward(qdisc));
  const made = there.find(({ handle }) => handle !== '0:');
  if (made) return `${device} has a qdisc that somebody has made (${made.kind} ${made.handle})`;
  const old = there.find(({ kind }) => !['noqueue', 'mq', standard ?? kind].includes(kind));
  if (old) return `the kernel would give ${device} ${standard}, and not ${old.kind} again`;
  return undefined;
}

/** What would be in nobody's way: a line's own speed is never more. */
const OPEN = ['rate', '32gbit', 'ceil', '32gbit', 'burst', '1mb', 'cburst', '1mb'];
const QUANTUM = ['quantum', '60000'];
/** Packets in a netem: its own default of 1,000 is nothing beside a delay of a second. */
const LIMIT = ['limit', '50000'];

function figures(stage: ShapeStage): [bytesPerSecond: number, burst: number, latencyUs: number] {
  const [rate = 0, burst = 0, latencyUs = 0] = stage.words.map(Number);
  return [rate, burst, latencyUs];
}

function classLines(device: string, { minor, stages }: ShapeClass): string[] {
  const id = `${ROOT}:${hex(minor)}`;
  const rate = stages.find(({ sort }) => sort === 'rate');
  const words = stages.flatMap((stage) => (stage === rate ? [] : stage.words));
  let speed = OPEN;
  let leaf = ['netem', ...LIMIT, ...words];
  if (rate) {
    const [bytes, burst, latencyUs] = figures(rate);
    speed = [
      'rate',
      `${bytes}bps`,
      'ceil',
      `${bytes}bps`,
      'burst',
      `${burst}`,
      'cburst',
      `${burst}`,
    ];
    const waiting = Math.max(2_000, Math.ceil((bytes * latencyUs) / 1e6));
    if (words.length === 0) leaf = ['bfifo', 'limit', String(waiting)];
  }
  const dev = ['dev', device];
  return [
    ['class', 'replace', ...dev, 'parent', `${ROOT}:`, 'classid', id, 'htb', ...speed, ...QUANTUM],
    ['qdisc', 'replace', ...dev, 'parent', id, 'handle', `${hex(minor)}:`, ...leaf],
  ].map((line) => line.join(' '));
}

/**
 * Commands (tc -batch) that make a device's tree the wanted one. Classes that stay are not touched.
 * @param remade bits of slots whose classes are nobody's, whatever is there.
 */
export function writeTree(
  device: string,
  wanted: readonly ShapeClass[],
  qdiscs: readonly ListedQdisc[],
  remade = 0,
): string[] {
  assert(/^[^\s/"]{1,15}$/.test(device), `device name ${device}`);
  const isThere = hasTree(qdiscs, device);
  if (wanted.length === 0) return isThere ? [`qdisc del dev ${device} root handle ${ROOT}:`] : [];
  const there = isThere ? minorsOn(qdiscs, device) : new Set<number>();
  const kept = new Set(wanted.map(({ minor }) => minor).filter((minor) => (minor & remade) === 0));
  const gone = [...there].filter((minor) => !kept.has(minor));
  const missing = wanted.filter(({ minor }) => !there.has(minor) || !kept.has(minor));
  return [
    ...(isThere ? [] : [`qdisc add dev ${device} root handle ${ROOT}: htb default 0`]),
    ...gone.map((minor) => `class del dev ${device} classid ${ROOT}:${hex(minor)}`),
    ...missing.flatMap((each) => classLines(device, each)),
  ];
}

/** The device in the answer of `ip -j route get ADDRESS`; undefined where there is no way. */
export function readRoute(json: string): string | undefined {
  return (JSON.parse(json) as { dev?: string }[])[0]?.dev;
}
