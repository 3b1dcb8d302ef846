import type { Static, TSchema } from 'typebox';
import type { Problem } from '../base/problem.ts';
import type { Random } from '../base/random.ts';
import type { ControlPath } from './act-netfilter.ts';
import type { Act } from './act.ts';
import type { Answer, Query } from './query.ts';
import type { NodeName, Topology } from './topology.ts';

/** What a kind requires of a node. Probed by doing, in host/linux/needs.ts. */
export const NEEDS = [
  'cpu.burn',
  'disk.fallocate',
  'disk.mount',
  'htb',
  'ipset',
  'iptables',
  'netem',
  'nfqueue',
  'nft',
  'nft.timeout',
  'process.pidfd',
  'process.signal',
  'redirect.iptables',
  'redirect.nft',
  'sockets.destroy',
] as const;
export type Need = (typeof NEEDS)[number];

/** What an agent found when it tried each need. */
export interface Capability {
  need: Need;
  met: boolean;
  /** Why not, or what was seen ('nft 1.0.6 through libnftables'). */
  why: string;
}

/**
 * Whether a node meets a need, so far as is known: one that nobody could ask is taken to meet it, and
 * says otherwise when it is to arm.
 */
export type Meets = (node: NodeName, need: Need) => boolean;

/** Needs that nodes are known not to meet, as data. */
export type Unmet = Readonly<Record<NodeName, readonly Need[]>>;

export function meetsAllBut(unmet: Unmet): Meets {
  return (node, need) => unmet[node]?.includes(need) !== true;
}

/** Where a plan is made: everything a kind may know, and nothing it could change. */
export interface Here {
  faultId: string;
  instance: number;
  /** 'faultline-' + short hash of id and instance: what kernel objects and processes are named. */
  token: string;
  /** This node. */
  node: NodeName;
  topology: Topology;
  /** The nodes the selector named (empty where the kind names its own). */
  targets: NodeName[];
  /** The same on every acting node: who acts, and by which backend, all must decide alike. */
  meets: Meets;
  control: ControlPath;
  /** How long the fault stands, where its request says so. */
  durationMs?: number;
  /** Seeded by the fault: forked by the kind's name and the node's. */
  random: Random;
}

export type Facts = readonly Answer[];

/** One thing that is done, and how it is undone. The undo is journaled before the act. */
export interface Step {
  /** In words, for `explain`. */
  says: string;
  act: Act;
  /** The undo, or why there is none. */
  undo: Act | { irreversible: string };
  /** Performed this long after the fault fired; at once without it. */
  afterMs?: number;
  /** Repeated every 5 s while in force: renews what the kernel lets expire. */
  refresh?: Act;
}

/** Packets a witness sends so that a rule has something to count. */
export interface PacketProbe {
  protocol: 'udp' | 'tcp';
  address: string;
  port: number;
}

/** What a witness does, once, to a file that a disk fault takes. It changes nothing there. */
export interface DiskProbe {
  disk: 'look' | 'read' | 'sync';
  token: string;
  mountPoint: string;
}

export type Probe = DiskProbe | PacketProbe;

/** How to see that a fault bites. */
export type Witness =
  | { untestable: string }
  | {
      /** Asked before arming, after firing until `seen`, and once more before healing. */
      sample: Query;
      probes: Probe[];
      seen(before: Answer, now: Answer): boolean;
      /** How long to look before the effect is 'unseen'. */
      withinMs: number;
      /**
       * What it counts comes from others (a broker's reads): that nothing came within `withinMs`
       * proves nothing. The effect is 'untestable' then, until something is seen.
       */
      patient?: boolean;
      /** Whether the effect was weaker than asked for, and how: a note in the receipt. */
      weaker?(now: Answer): string | undefined;
      /** What was looked for, in words. */
      says: string;
    };

/** What a fault holds alone on a node, with what people call it: 'process:...' or 'cpu'. */
export interface Claim {
  key: string;
  says: string;
}

/**
 * One fault kind = one file in core/faults/. Everything here is pure: the same arguments give the
 * same plan, and nothing is touched before the whole plan exists.
 */
export interface FaultKind<S extends TSchema = TSchema> {
  /** 'family.term', also the file's name. */
  kind: string;
  /** One line with a full stop. */
  summary: string;
  /** Markdown: what a Kafka user will see, caveats, what it does NOT do. */
  doc: string;
  /** Stays in force until healed, or happens once. */
  standing: boolean;
  /** Where that depends on the parameters (a kill without restart is over at once). */
  stands?(params: Static<S>): boolean;
  /** Whether the kind names its own nodes (groups) and takes no `targets`. */
  namesNodes: boolean;
  /** Where that depends on the parameters; without it `namesNodes` decides. */
  takesTargets?(params: Static<S>): 'required' | 'optional' | 'none';
  /** The colour of its bands on a timeline, '#rrggbb'. */
  colour: string;
  params: S;
  examples: { title: string; params: Static<S> }[];
  /** Alternatives; any one set suffices. */
  needs: Need[][];
  /** What the schema can't say: all problems, paths relative to params. */
  check?(params: Static<S>, topology: Topology): Problem[];
  /** All nodes that may be harmed. `selected` is what the selector named. */
  targets(params: Static<S>, topology: Topology, selected: NodeName[]): NodeName[];
  /**
   * Who must act: a cut of X from Y acts on both; a delay of X acts on X where it can be done on the
   * way out, and on those who hear X where only on the way in.
   */
  actors(params: Static<S>, topology: Topology, selected: NodeName[], meets: Meets): NodeName[];
  /**
   * Of a network partition: who no longer hears whom, so that limits can tell the side that suffers
   * from the side that does not. `seed` is 'id#instance', the same that plans draw from.
   */
  cuts?(
    params: Static<S>,
    topology: Topology,
    selected: NodeName[],
    seed: string,
  ): ReadonlyMap<NodeName, readonly NodeName[]>;
  /** Whether a network partition leaves the controllers' own connections alone. */
  sparesQuorum?(params: Static<S>, topology: Topology): boolean;
  /**
   * Whether a broker answers it by taking a log directory offline until it is started again: then a
   * cluster that does not become whole after the fault has done what Kafka does.
   */
  takesLogDirectory?(params: Static<S>): boolean;
  observe(params: Static<S>, here: Here): Query[];
  /** `facts` answers observe(), in its order. A Problem[] refuses the fault. */
  plan(params: Static<S>, here: Here, facts: Facts): Step[] | Problem[];
  claims(params: Static<S>, here: Here, facts: Facts): Claim[];
  /** Of a kind with several backends: the one that runs here, and what it can't promise. */
  backend?(params: Static<S>, here: Here): { name: string; note?: string };
  witness(params: Static<S>, here: Here, facts: Facts): Witness;
  /** How a seed makes one: parameters and, where the kind takes one, a selector. */
  draw(random: Random, topology: Topology): { params: Static<S>; targets?: string };
}

/** The same kind with its parameters' type, for its own file; the registry forgets the type. */
export function faultKind<S extends TSchema>(kind: FaultKind<S>): FaultKind {
  return kind;
}
