import { Type, type Static } from 'typebox';
import type { Problem } from '../base/problem.ts';
import type { FlippedBytes } from '../model/act-disk.ts';
import { faultKind, type Facts, type Here, type Step } from '../model/fault.ts';
import type { DiskFile, FilePlaces } from '../model/query-disk.ts';
import { drawBroker } from './disk/disk-kind.ts';

const strict = { additionalProperties: false } as const;
const Path = Type.String({ pattern: '^/', maxLength: 4096 });
const Offset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const Params = Type.Object(
  {
    file: Type.Optional(Path),
    segment: Type.Optional(
      Type.Object(
        {
          directory: Path,
          topicPartition: Type.String({ pattern: '^[A-Za-z0-9._-]+-[0-9]+$', maxLength: 260 }),
          which: Type.Optional(
            Type.Enum(['oldest', 'newest'], {
              description: "default 'oldest', which is not written",
            }),
          ),
        },
        { ...strict, description: "in place of 'file': a segment in a log directory" },
      ),
    ),
    bits: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 16,
        description: 'how many, in bytes of their own; default 1',
      }),
    ),
    from: Type.Optional(Offset),
    to: Type.Optional(Offset),
  },
  strict,
);
type Params = Static<typeof Params>;

/** What is kept around a bit, so that its undo knows whether anybody wrote there since. */
const AROUND = 8;
/** Places that fall together are drawn again. */
const SPARE = 4;
const SEEN_WITHIN_MS = 5_000;

function check({ file, segment, from = 0, to }: Params): Problem[] {
  const problems: Problem[] = [];
  if ((file === undefined) === (segment === undefined)) {
    problems.push({
      path: '/file',
      message: `one of 'file' and 'segment' is needed, and only one`,
    });
  }
  if (to !== undefined && to <= from) {
    problems.push({ path: '/to', message: `the range is empty or backwards: ${from} to ${to}` });
  }
  return problems;
}

function placesOf(params: Params, here: Here): FilePlaces {
  const random = here.random.fork('places');
  const count = (params.bits ?? 1) * SPARE;
  const { file, segment } = params;
  return {
    ...(file === undefined ? {} : { path: file }),
    ...(segment === undefined ? {} : { segment: { which: 'oldest', ...segment } }),
    from: params.from ?? 0,
    to: params.to ?? null,
    draws: Array.from({ length: count }, () => random.next()),
    around: AROUND,
  };
}

function fileOf(facts: Facts): DiskFile | Problem {
  const fact = facts[0];
  if (fact?.query === 'diskFile' && fact.file) return fact.file;
  const why = fact?.query === 'diskFile' ? fact.why : undefined;
  return { path: '/file', message: why ?? 'nobody has looked at it' };
}

/** One flipped bit in each window, none of which touches another. */
function flipsOf(params: Params, here: Here, file: DiskFile): FlippedBytes[] {
  const random = here.random.fork('bits');
  const flips: FlippedBytes[] = [];
  for (const { at, offset, was } of file.windows) {
    if (flips.length === (params.bits ?? 1)) break;
    const end = offset + was.length / 2;
    const apart = flips.every(
      (one) => end <= one.offset || offset >= one.offset + one.was.length / 2,
    );
    if (!apart) continue;
    const digit = (at - offset) * 2;
    const value = Number.parseInt(was.slice(digit, digit + 2), 16) ^ (1 << random.below(8));
    const byte = value.toString(16).padStart(2, '0');
    flips.push({ offset, was, is: was.slice(0, digit) + byte + was.slice(digit + 2) });
  }
  return flips;
}

function plan(params: Params, here: Here, facts: Facts): Step[] | Problem[] {
  const file = fileOf(facts);
  if ('message' in file) return [file];
  const windows = flipsOf(params, here, file);
  const bits = params.bits ?? 1;
  if (windows.length < bits) {
    const found = `room for ${windows.length} in ${file.bytes} bytes`;
    return [{ path: '/bits', message: `${file.path} is too small for ${bits} bits`, found }];
  }
  const flipped = { token: here.token, path: file.path, inode: file.inode, windows };
  return [
    {
      says: `flip ${bits} bit(s) of ${file.path}`,
      act: { act: 'disk.flip', ...flipped },
      undo: { act: 'disk.flip.undo', ...flipped },
    },
  ];
}

/** Bits rot where they lie. */
export const diskFlip = faultKind({
  kind: 'disk.flip',
  summary: 'Flips bits of a file at rest, and puts them back when healed.',
  doc: `Flips \`bits\` single bits of a \`file\`, or of a \`segment\` of a topic-partition, at
places that the seed draws between \`from\` and \`to\`, and syncs them. It needs no mount of ours.
The bytes around each are kept in the journal: when the fault ends, those that are still as it left
them get their old value back, and what was written since stays as it is. Undoing works after a
reboot, too.

**What a Kafka user sees.** Nothing on the broker: it serves records without looking at them.
Consumers stop at the offset of the batch, whose checksum is wrong; followers refuse it and try for
ever. A clean restart changes nothing. After an unclean one, recovery starts from the recovery
point; where that file is missing, too, it cuts the log off at the flipped batch and deletes all
segments after it, without an error.

**What it does not do.** It flips nothing in memory. A broker that rolls, compacts or deletes the
segment meanwhile takes the bits along or away: then there is nothing to put back.`,
  standing: true,
  namesNodes: false,
  colour: '#c5221f',
  params: Params,
  examples: [
    {
      title: 'one bit of the oldest segment',
      params: { segment: { directory: '/var/lib/kafka/data', topicPartition: 'orders-0' } },
    },
    {
      title: 'four bits in the first kilobyte of a file',
      params: {
        file: '/var/lib/kafka/data/orders-0/00000000000000000000.log',
        bits: 4,
        from: 0,
        to: 1024,
      },
    },
  ],
  needs: [[]],
  check,
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  observe: (params, here) => [{ query: 'diskFile', ...placesOf(params, here) }],
  plan,
  claims(_params, _here, facts) {
    const file = fileOf(facts);
    if ('message' in file) return [];
    return [{ key: `disk.file:${file.path}`, says: file.path }];
  },
  witness(params, here, facts) {
    const file = fileOf(facts);
    if ('message' in file) return { untestable: file.message };
    const windows = flipsOf(params, here, file).map(({ offset, is }) => ({ offset, is }));
    return {
      sample: { query: 'diskBytes', path: file.path, windows },
      probes: [],
      seen: (_before, now) => now.query === 'diskBytes' && now.same,
      withinMs: SEEN_WITHIN_MS,
      says: 'the flipped bits are read from the file',
    };
  },
  draw: (random, topology) => ({
    params: {
      segment: { directory: '/var/lib/kafka/data', topicPartition: 'orders-0' },
      bits: random.between(1, 4),
    },
    targets: drawBroker(random, topology),
  }),
});
