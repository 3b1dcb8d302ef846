import { Type, type Static } from 'typebox';
import type { Problem } from '../base/problem.ts';
import { under } from '../base/problem.ts';
import { Ratio } from '../base/ratio.ts';
import { AIM_FIELDS } from '../network/aim.ts';
import { checkRatios, CORRELATION, fractionOf, likelihoodOf } from '../network/likelihood.ts';
import { packetFault } from '../network/packet-kind.ts';

const Bursts = Type.Object(
  { p: Ratio, r: Ratio, h: Type.Optional(Ratio), k: Type.Optional(Ratio) },
  {
    additionalProperties: false,
    title: 'Gilbert-Elliott model',
    description:
      'loss in bursts: p from good to bad, r back, h and k the share that arrives while bad (default 0) and good (default 1)',
  },
);

const Params = Type.Object(
  {
    ratio: Type.Optional(Ratio),
    correlation: CORRELATION,
    gilbertElliott: Type.Optional(Bursts),
    ...AIM_FIELDS,
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

function check(params: Params): Problem[] {
  const problems = checkRatios(params, ['ratio', 'correlation'], ['ratio']);
  const { gilbertElliott } = params;
  if (!gilbertElliott) {
    if (params.ratio === undefined)
      problems.push({ path: '/ratio', message: `'ratio' or 'gilbertElliott' is missing` });
    return problems;
  }
  for (const field of ['ratio', 'correlation'] as const) {
    if (params[field] === undefined) continue;
    problems.push({
      path: `/${field}`,
      message: `either '${field}' or 'gilbertElliott', not both`,
    });
  }
  const bursts = checkRatios(gilbertElliott, ['p', 'r', 'h', 'k'], ['p']);
  return [...problems, ...under('/gilbertElliott', bursts)];
}

/** Packets are lost. */
export const networkLoss = packetFault({
  kind: 'network.loss',
  summary: 'Some packets of the targets are lost, singly or in bursts.',
  doc: `Each packet is dropped with a probability of \`ratio\`; or in bursts, by a channel that is
good or bad (\`gilbertElliott\`): it loses \`p / (p + r)\` of all packets on average, in bursts of
\`1 / r\`. A packet is one of the network's: what the kernel has merged on its way in is taken apart
before.

**What a Kafka user sees.** TCP repeats what is lost, so nothing is missing, but late: by a round
trip where later packets tell of the loss, by at least 200 ms where the last packet of a request was
lost. One percent is seen in the 99th percentile; ten percent in everything; beyond that connections
stall until \`request.timeout.ms\` or \`replica.lag.time.max.ms\` is over.`,
  colour: '#c5221f',
  params: Params,
  examples: [
    { title: 'one packet in a hundred', params: { ratio: '1%' } },
    { title: 'bursts', params: { gilbertElliott: { p: '1%', r: '25%' } } },
    { title: 'a bad line, both ways', params: { ratio: 0.1, direction: 'both' } },
  ],
  check,
  shape({ ratio, correlation, gilbertElliott }) {
    if (!gilbertElliott) return { loss: likelihoodOf({ ratio, correlation }) };
    const { p, r, h = 0, k = 1 } = gilbertElliott;
    return {
      loss: { p: fractionOf(p), r: fractionOf(r), h: fractionOf(h), k: fractionOf(k) },
    };
  },
  draw(random) {
    if (random.below(3) === 0) return { gilbertElliott: { p: '1%', r: '20%' } };
    return { ratio: `${random.pick([1, 5, 10, 30])}%` };
  },
});
