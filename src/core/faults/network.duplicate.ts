import { Type } from 'typebox';
import { Ratio } from '../base/ratio.ts';
import { AIM_FIELDS } from '../network/aim.ts';
import { checkRatios, CORRELATION, likelihoodOf } from '../network/likelihood.ts';
import { backendOf, packetFault } from '../network/packet-kind.ts';

const Params = Type.Object(
  { ratio: Ratio, correlation: CORRELATION, backend: backendOf('netem'), ...AIM_FIELDS },
  { additionalProperties: false },
);

/** Packets come twice. */
export const networkDuplicate = packetFault({
  kind: 'network.duplicate',
  summary: 'Some packets of the targets arrive twice.',
  doc: `A share of the packets (\`ratio\`) is delivered a second time, at once.

**What a Kafka user sees.** Nothing, if all is well: TCP throws away what it has already had, at the
price of an acknowledgement. It is here to show just that, and for what speaks UDP. Duplicate
_requests_ are another thing: they are \`kafka.request\`'s.`,
  colour: '#9aa0a6',
  params: Params,
  examples: [
    { title: 'one packet in ten', params: { ratio: '10%' } },
    {
      title: 'between the targets and one client',
      params: { ratio: '1/4', peers: ['client1'], direction: 'both' },
    },
  ],
  check: (params) => checkRatios(params, ['ratio', 'correlation'], ['ratio']),
  qdisc: { need: 'netem', byItself: true },
  shape: (params) => ({ duplicate: likelihoodOf(params) }),
  draw: (random) => ({ ratio: `${random.pick([1, 10, 50])}%` }),
});
