import { Type, type Static } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { parseRatio, Ratio } from '../base/ratio.ts';
import { faultKind, type Facts, type Here, type Step } from '../model/fault.ts';
import type { DiskSpace } from '../model/query-disk.ts';
import { drawBroker } from './disk/disk-kind.ts';

const Params = Type.Object(
  {
    directory: Type.String({
      pattern: '^/',
      maxLength: 4096,
      description: "a directory on the file system to fill ('/var/lib/kafka/d1')",
    }),
    share: Type.Optional(Ratio),
    leaveBytes: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'stays free, whatever the share; default and least 33554432 (32 MiB)',
      }),
    ),
    memory: Type.Optional(
      Type.Boolean({
        description: 'also a file system that is memory (tmpfs): the machine has that much less',
      }),
    ),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

/** Somebody may have to log in, to look and to heal. */
const FLOOR_BYTES = 32 * 1024 * 1024;
/** With less memory available the kernel would look for somebody to kill. */
const MEMORY_FLOOR_BYTES = 512 * 1024 * 1024;
const SEEN_WITHIN_MS = 10_000;

function spaceOf(facts: Facts): DiskSpace | Problem {
  const fact = facts[0];
  if (fact?.query === 'diskSpace' && fact.space) return fact.space;
  const why = fact?.query === 'diskSpace' ? fact.why : undefined;
  return { path: '/directory', message: why ?? 'nobody has looked at it' };
}

function check(params: Params): Problem[] {
  if (params.leaveBytes === undefined || params.leaveBytes >= FLOOR_BYTES) return [];
  return [
    {
      path: '/leaveBytes',
      message: 'so little is left to nobody',
      found: String(params.leaveBytes),
      expected: `at least ${FLOOR_BYTES}`,
    },
  ];
}

function bytesOf(params: Params, { totalBytes, availableBytes }: DiskSpace): number {
  const share = parseRatio(params.share ?? 1) ?? { numerator: 1, denominator: 1 };
  const wanted = Math.floor((totalBytes * share.numerator) / share.denominator);
  const toShare = wanted - (totalBytes - availableBytes);
  return Math.min(toShare, availableBytes - (params.leaveBytes ?? FLOOR_BYTES));
}

/** Who fills a tmpfs takes memory from everything on the machine: only where that was asked for. */
function memoryProblem(params: Params, space: DiskSpace, bytes: number): Problem | undefined {
  const { memoryBytes } = space;
  const { directory } = params;
  if (memoryBytes === undefined) return undefined;
  if (params.memory !== true) {
    const message = `the file system of ${directory} is memory of this machine (tmpfs)`;
    const expected = `a file system on a disk, or 'memory': true`;
    return { path: '/directory', message, expected };
  }
  if (bytes <= memoryBytes - MEMORY_FLOOR_BYTES) return undefined;
  return {
    path: '/share',
    message: `${bytes} bytes of memory would be taken, and too little left to the machine`,
    found: `${memoryBytes} bytes are available`,
    expected: `a smaller share: ${MEMORY_FLOOR_BYTES} bytes stay available`,
  };
}

function plan(params: Params, here: Here, facts: Facts): Step[] | Problem[] {
  const { directory } = params;
  const space = spaceOf(facts);
  if ('message' in space) return [space];
  if (space.ownState) {
    const message = `the file system of ${directory} holds this agent's own state`;
    return [{ path: '/directory', message, expected: 'a file system of its own for Kafka' }];
  }
  if (space.ours) {
    const message = `${directory} is shown by a file system of ours, which can pretend to be full`;
    return [{ path: '/directory', message, expected: 'the kind disk.full' }];
  }
  const bytes = bytesOf(params, space);
  if (bytes <= 0) {
    const found = `${space.availableBytes} of ${space.totalBytes} bytes are free`;
    return [{ path: '/share', message: `${directory} is that full already`, found }];
  }
  const problem = memoryProblem(params, space, bytes);
  if (problem !== undefined) return [problem];
  const path = `${directory.replace(/\/+$/, '')}/.${here.token}`;
  const { token } = here;
  return [
    {
      says: `take ${bytes} bytes of the file system of ${directory}`,
      act: { act: 'disk.fill', token, path, bytes },
      undo: { act: 'disk.fill.remove', token, path },
    },
  ];
}

/** No pretending: the disk is full. */
export const diskFill = faultKind({
  kind: 'disk.fill',
  summary: 'Fills a real file system by a file, and removes it when healed.',
  doc: `Allocates one file (\`fallocate\`, nothing is written) in \`directory\` so that \`share\`
(default: all) of its file system is in use, and leaves at least 32 MiB free. It needs no mount of
ours; a directory that one shows is refused, because \`disk.full\` does the same there to Kafka
alone.

**What a Kafka user sees.** What is left is used up by the next appends; then an append fails with
ENOSPC, and its log directory is offline until the broker is started again (the last one: the broker
stops). Everything else on that file system has no room either.

**What it does not do.** It refuses the file system that holds the agent's own state, so that
healing always has room. The file survives a reboot, and is removed by the next start of the agent.
File systems without fallocate (some network ones) are refused by the kernel. A tmpfs is memory, and
filling it starves everything on the machine: it is refused unless \`memory\` says that this is meant,
and then 512 MiB of memory stay available.`,
  standing: true,
  namesNodes: false,
  colour: '#e37400',
  params: Params,
  examples: [
    { title: 'all but 32 MiB', params: { directory: '/var/lib/kafka/plain' } },
    {
      title: 'to 95 %',
      params: { directory: '/var/lib/kafka/plain', share: '95%', leaveBytes: 100_000_000 },
    },
  ],
  needs: [['disk.fallocate']],
  check,
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  takesLogDirectory: () => true,
  observe: ({ directory }) => [{ query: 'diskSpace', directory }],
  plan,
  claims(params, _here, facts) {
    const space = spaceOf(facts);
    if ('message' in space) return [];
    return [{ key: `disk.space:${space.device}`, says: `the room around ${params.directory}` }];
  },
  witness(params, _here, facts) {
    const space = spaceOf(facts);
    const half = 'message' in space ? 0 : bytesOf(params, space) / 2;
    return {
      sample: { query: 'diskSpace', directory: params.directory },
      probes: [],
      seen: (before, now) =>
        before.query === 'diskSpace' &&
        now.query === 'diskSpace' &&
        (now.space?.availableBytes ?? 0) <= (before.space?.availableBytes ?? 0) - half,
      withinMs: SEEN_WITHIN_MS,
      says: 'the file system has less room',
    };
  },
  draw: (random, topology) => ({
    params: { directory: '/var/lib/kafka', share: random.pick(['95%', '99%', '100%']) },
    targets: drawBroker(random, topology),
  }),
});
