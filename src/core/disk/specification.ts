import { Type, type Static } from 'typebox';
import { Duration } from '../base/duration.ts';
import { Ratio } from '../base/ratio.ts';
import { ERRNO_NAMES, type Errno } from './errno.ts';
import { GROUPS, OPERATIONS, type Group, type Operation } from './operation.ts';

const strict = { additionalProperties: false } as const;
const MAX_OFFSET = Number.MAX_SAFE_INTEGER;

const Glob = Type.String({ minLength: 1, maxLength: 1024 });
const Bytes = Type.Integer({ minimum: 0, maximum: MAX_OFFSET });
const ErrnoName = Type.Enum(ERRNO_NAMES as [Errno, ...Errno[]]);

/** Which requests a fault may touch; what is left out matches everything the kind can touch. */
export const Match = Type.Object(
  {
    /** Globs on the file's current path from the mount's root: any one matches. */
    path: Type.Optional(Type.Array(Glob, { minItems: 1, maxItems: 100 })),
    /** And none of these. */
    notPath: Type.Optional(Type.Array(Glob, { minItems: 1, maxItems: 100 })),
    op: Type.Optional(
      Type.Array(Type.Enum([...OPERATIONS, ...Object.keys(GROUPS)] as (Operation | Group)[]), {
        minItems: 1,
        maxItems: 40,
      }),
    ),
    /** Byte ranges, [from, to): a request with an offset must touch one of them. */
    range: Type.Optional(
      Type.Array(Type.Object({ from: Bytes, to: Bytes }, strict), { minItems: 1, maxItems: 100 }),
    ),
    /** Calling threads. Writes of mapped memory have no caller, and match none. */
    pid: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1, maximum: 0x7fffffff }), { minItems: 1, maxItems: 100 }),
    ),
    uid: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0, maximum: 0xffffffff }), { minItems: 1, maxItems: 100 }),
    ),
  },
  strict,
);
export type Match = Static<typeof Match>;

/** Which of the matching requests are hit. */
export const When = Type.Object(
  {
    probability: Type.Optional(Ratio),
    /** The first this many matching requests pass. */
    skip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1e9 })),
    /** At most this many hits. */
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1e9 })),
    /** Only each n-th. */
    every: Type.Optional(Type.Integer({ minimum: 1, maximum: 1e9 })),
    /** One character a matching request: '.' passes, 'x' is hit; a '*' at the end starts over. */
    sequence: Type.Optional(Type.String({ pattern: '^[.x]{1,1000}[*]?$', maxLength: 1001 })),
    /** From this long after the specification was set ... */
    delay: Type.Optional(Duration),
    /** ... and for this long. */
    duration: Type.Optional(Duration),
  },
  strict,
);
export type When = Static<typeof When>;

const Latency = Type.Object(
  {
    fixed: Type.Optional(Duration),
    uniform: Type.Optional(Type.Object({ from: Duration, to: Duration }, strict)),
    normal: Type.Optional(Type.Object({ mean: Duration, deviation: Duration }, strict)),
    pareto: Type.Optional(
      Type.Object(
        { minimum: Duration, shape: Type.Number({ exclusiveMinimum: 0, maximum: 100 }) },
        strict,
      ),
    ),
    /** On top, for each MiB of a read or write. */
    perMiB: Type.Optional(Duration),
  },
  strict,
);
export type Latency = Static<typeof Latency>;

const kind = <const K extends string>(name: K) => Type.Literal(name);

/** One schema a kind: the field `kind` decides which holds. */
export const KINDS = {
  error: Type.Object(
    {
      kind: kind('error'),
      errno: Type.Union(
        [
          ErrnoName,
          Type.Array(
            Type.Object(
              { errno: ErrnoName, weight: Type.Integer({ minimum: 1, maximum: 1_000_000 }) },
              strict,
            ),
            { minItems: 1, maxItems: 32 },
          ),
        ],
        {
          title: 'errno',
          description: `one of ${ERRNO_NAMES.join(', ')}, or a list of { errno, weight }`,
        },
      ),
    },
    strict,
  ),
  delay: Type.Object({ kind: kind('delay'), latency: Latency }, strict),
  stall: Type.Object({ kind: kind('stall') }, strict),
  rate: Type.Object(
    {
      kind: kind('rate'),
      bytesPerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 1e12 })),
      operationsPerSecond: Type.Optional(Type.Number({ minimum: 0.001, maximum: 1e9 })),
    },
    strict,
  ),
  corrupt: Type.Object(
    {
      kind: kind('corrupt'),
      /** The Tail ones but truncateTail: from a drawn place to the end. */
      how: Type.Enum(['bitFlip', 'zero', 'random', 'truncateTail', 'zeroTail', 'randomTail']),
      /** Bits for bitFlip, else bytes; default 1. truncateTail: bytes at the end become zero. */
      amount: Type.Optional(Type.Integer({ minimum: 1, maximum: 1 << 20 })),
      /** Instead of an amount: each byte with this probability (zero and random). */
      fraction: Type.Optional(Ratio),
    },
    strict,
  ),
  short: Type.Object(
    {
      kind: kind('short'),
      /** How much is done, at least one byte: this many bytes, or this share. */
      bytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1 << 20 })),
      share: Type.Optional(Ratio),
      /** Or a drawn part. */
      random: Type.Optional(Type.Literal(true)),
    },
    strict,
  ),
  torn: Type.Object(
    {
      kind: kind('torn'),
      /** What the disk writes as a whole; default 512. */
      sectorBytes: Type.Optional(Type.Enum([512, 1024, 2048, 4096])),
      keep: Type.Optional(Type.Enum(['prefix', 'suffix', 'random'])),
    },
    strict,
  ),
  lost: Type.Object({ kind: kind('lost') }, strict),
  misdirected: Type.Object(
    {
      kind: kind('misdirected'),
      shiftBytes: Type.Integer({ minimum: -(2 ** 40), maximum: 2 ** 40 }),
    },
    strict,
  ),
  stale: Type.Object({ kind: kind('stale') }, strict),
  fsync: Type.Object(
    {
      kind: kind('fsync'),
      /** 'ignored': says it worked and did nothing. 'fails': the error, and what was unsynced is lost. */
      how: Type.Enum(['ignored', 'fails']),
      errno: Type.Optional(ErrnoName),
      /** What a reader finds after the failure (Rebello et al., ATC 2020); default ext4. */
      after: Type.Optional(Type.Enum(['ext4', 'xfs', 'btrfs'])),
    },
    strict,
  ),
  full: Type.Object(
    {
      kind: kind('full'),
      /** What can still be written and created from now on; default 0 bytes, any number of inodes. */
      freeBytes: Type.Optional(Bytes),
      freeInodes: Type.Optional(Bytes),
      errno: Type.Optional(Type.Enum(['ENOSPC', 'EDQUOT'])),
    },
    strict,
  ),
  readonly: Type.Object({ kind: kind('readonly') }, strict),
  gone: Type.Object(
    { kind: kind('gone'), errno: Type.Optional(Type.Enum(['EIO', 'ENODEV', 'ENXIO'])) },
    strict,
  ),
} as const;

export type KindName = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as KindName[];

/** What a fault does. */
export type Effect = { [K in KindName]: Static<(typeof KINDS)[K]> }[KindName];

/** One fault; its own id names it in counters, events and refusals. */
export const FaultEntry = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$', maxLength: 63 }),
    match: Type.Optional(Match),
    when: Type.Optional(When),
    fault: Type.Object({ kind: Type.Enum(KIND_NAMES as [KindName, ...KindName[]]) }),
  },
  strict,
);

/** The whole document: what a mount does to its files. Setting one replaces the one before. */
export const Specification = Type.Object(
  {
    version: Type.Literal(1),
    /** Decides every draw of every fault; default 0. */
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_OFFSET })),
    /** Whether to know what was not fsynced, for `powercut`; default false. */
    trackUnsynced: Type.Optional(Type.Boolean()),
    faults: Type.Array(FaultEntry, { maxItems: 1000 }),
  },
  strict,
);

export interface Fault {
  id: string;
  match?: Match;
  when?: When;
  fault: Effect;
}

export interface DiskSpecification {
  version: 1;
  seed?: number;
  trackUnsynced?: boolean;
  faults: Fault[];
}

export const NOTHING: DiskSpecification = { version: 1, faults: [] };
