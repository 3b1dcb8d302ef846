import { Type, type Static } from 'typebox';
import { Duration, durationMs } from '../base/duration.ts';
import { fnv1a64 } from '../base/hash.ts';
import type { Problem } from '../base/problem.ts';
import { Random } from '../base/random.ts';
import type { Here } from './fault.ts';
import type { Range, Timeline } from './timeline.ts';

const LEAST_MS = 100;
const LONGEST_FLAP_MS = 30 * 86_400_000;
/** What one draw spans: nearly fifty days, and of a longer half no more than that. */
const MOST_DRAWN_MS = 2 ** 32;

const Length = Type.Union([Duration, Type.Array(Duration, { minItems: 2, maxItems: 2 })], {
  title: 'duration or [least, most]',
});

/** The parameters of a network partition that say when it bites, while it stands. */
export const TIME_FIELDS = {
  flap: Type.Optional(
    Type.Object(
      { on: Length, off: Length },
      {
        additionalProperties: false,
        title: 'flap',
        description:
          "cut and whole in turn: {on: '2s', off: ['1s', '5s']}; of a pair each length is drawn from the seed",
      },
    ),
  ),
  healing: Type.Optional(
    Type.Enum(['at-once', 'staggered'], {
      description:
        "staggered: one pair of nodes after the other, over the last half of the duration; default 'at-once'",
    }),
  ),
};
const When = Type.Object(TIME_FIELDS);
type When = Static<typeof When>;

function rangeOf(length: Static<typeof Length>): Range {
  const [least = '', most = ''] = typeof length === 'string' ? [length, length] : length;
  return { leastMs: durationMs(least), mostMs: durationMs(most) };
}

export function checkWhen(when: When): Problem[] {
  const problems: Problem[] = [];
  for (const phase of ['on', 'off'] as const) {
    if (!when.flap) continue;
    const { leastMs, mostMs } = rangeOf(when.flap[phase]);
    const found = JSON.stringify(when.flap[phase]);
    const path = `/flap/${phase}`;
    if (mostMs > LONGEST_FLAP_MS) problems.push({ path, message: 'at most 30d', found });
    if (leastMs >= LEAST_MS && mostMs >= leastMs) continue;
    const message = `flapping needs at least ${LEAST_MS} ms, and the least before the most`;
    problems.push({ path, message, found });
  }
  return problems;
}

/** When the cut between two nodes ends, the same on both: between half of the duration and all. */
function endOfPair(here: Here, peer: string, lengthMs: number): number {
  const pair = [here.node, peer].sort().join(' ');
  const random = new Random(fnv1a64(`${here.faultId}#${here.instance} ${pair}`));
  const half = Math.floor(lengthMs / 2);
  return half + random.below(Math.min(lengthMs - half, MOST_DRAWN_MS));
}

/** Undefined: in force without a pause, and healed at once. All nodes keep the same instants. */
export function timelineOf(
  when: When,
  here: Here,
  peers: readonly string[],
): Timeline | Problem | undefined {
  const timeline: Timeline = {};
  if (when.flap) {
    const seed = `${here.faultId}#${here.instance}`;
    timeline.flap = { seed, on: rangeOf(when.flap.on), off: rangeOf(when.flap.off) };
  }
  if (when.healing === 'staggered') {
    const { durationMs: lengthMs } = here;
    if (lengthMs === undefined) {
      const message = `staggered healing needs a 'duration': links come back over its last half`;
      return { path: '/healing', message };
    }
    timeline.ends = Object.fromEntries(peers.map((p) => [p, endOfPair(here, p, lengthMs)]));
  }
  return timeline.flap || timeline.ends ? timeline : undefined;
}
