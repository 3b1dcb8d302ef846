import { Type, type Static } from 'typebox';
import { Duration, durationMs } from '../base/duration.ts';
import type { Problem } from '../base/problem.ts';
import { Ratio } from '../base/ratio.ts';
import { AIM_FIELDS } from '../network/aim.ts';
import { checkRatios, CORRELATION, likelihoodOf } from '../network/likelihood.ts';
import { backendOf, packetFault } from '../network/packet-kind.ts';

const HOLD = '10ms';

const Params = Type.Object(
  {
    ratio: Type.Optional(Ratio),
    correlation: CORRELATION,
    gap: Type.Optional(
      Type.Integer({
        minimum: 2,
        maximum: 1_000_000,
        title: 'number of packets',
        description: 'every so many packets one is held, instead of a share by chance',
      }),
    ),
    hold: Type.Optional(
      Type.Union([Duration], {
        title: 'duration',
        description: `how long the chosen packets are held, default '${HOLD}'`,
      }),
    ),
    backend: backendOf('netem'),
    ...AIM_FIELDS,
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

function check(params: Params): Problem[] {
  const problems = checkRatios(params, ['ratio', 'correlation'], ['ratio']);
  const chosen = [params.ratio, params.gap].filter((each) => each !== undefined).length;
  if (chosen !== 1)
    problems.push({ path: '/ratio', message: `either 'ratio' or 'gap' says which packets` });
  if (params.gap !== undefined && params.correlation !== undefined)
    problems.push({ path: '/correlation', message: `'correlation' belongs to 'ratio'` });
  const holdMs = durationMs(params.hold ?? HOLD);
  if (holdMs === 0 || holdMs > 10_000)
    problems.push({ path: '/hold', message: 'not from 1ms to 10s', found: params.hold ?? HOLD });
  return problems;
}

/** Packets overtake each other. */
export const networkReorder = packetFault({
  kind: 'network.reorder',
  summary: 'Some packets of the targets are overtaken by later ones.',
  doc: `Chosen packets (a \`ratio\`, or every \`gap\`-th) are held for \`hold\` (default 10 ms); all
others pass at once, and those that come meanwhile arrive first. Nothing is overtaken where nothing
comes meanwhile.

**What a Kafka user sees.** TCP puts bytes in order again; the application sees a delay of \`hold\`
now and then, and TCP may take much reordering for loss and send less for a while.
\`ping\` sees it as it does a [delay](network.delay.md).`,
  colour: '#7b1fa2',
  params: Params,
  examples: [
    { title: 'one packet in twenty', params: { ratio: '5%' } },
    { title: 'every tenth, for 50 ms', params: { gap: 10, hold: '50ms' } },
  ],
  check,
  qdisc: { need: 'netem', byItself: true },
  shape: ({ ratio, correlation, gap, hold }) => ({
    reorder: {
      chosen: gap === undefined ? likelihoodOf({ ratio, correlation }) : { gap },
      holdUs: durationMs(hold ?? HOLD) * 1000,
    },
  }),
  draw: (random) => ({
    ratio: `${random.pick([1, 5, 25])}%`,
    hold: `${random.pick([5, 20, 100])}ms`,
  }),
});
