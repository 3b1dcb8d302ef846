import { Type } from 'typebox';
import { Ratio } from '../base/ratio.ts';
import { AIM_FIELDS } from '../network/aim.ts';
import { checkRatios, CORRELATION, likelihoodOf } from '../network/likelihood.ts';
import { backendOf, packetFault } from '../network/packet-kind.ts';

const Params = Type.Object(
  {
    ratio: Ratio,
    correlation: CORRELATION,
    bytes: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 64,
        title: 'number of bytes',
        description: 'how many bytes of a packet are changed, default 1',
      }),
    ),
    checksum: Type.Optional(
      Type.Enum(['kept', 'remade'], {
        description:
          "'kept' (default): the receiver's kernel sees the damage and drops the packet; 'remade': it is delivered as data",
      }),
    ),
    backend: backendOf('netem'),
    ...AIM_FIELDS,
  },
  { additionalProperties: false },
);

/** Packets are damaged. */
export const networkCorrupt = packetFault({
  kind: 'network.corrupt',
  summary: 'Some packets of the targets arrive damaged: dropped by their checksum, or as data.',
  doc: `In a share of the packets (\`ratio\`) some bytes of the TCP or UDP payload get another value.
Headers stay whole; packets without a payload are passed.

With \`checksum: kept\` the receiver's kernel finds the damage and drops the packet: to an
application this is loss, with a cause in the kernel's counters (\`TcpInCsumErrors\`). With
\`checksum: remade\` the checksum fits the damaged bytes, as after a faulty memory or network card,
and **the damage is delivered**.

**What a Kafka user sees.** Of \`remade\` damage: in a record batch, \`CorruptRecordException\` (its
CRC); in a request or response, anything: closed connections, errors of parsing, or a wrong value
that nobody checks. TLS notices every change and ends the connection.`,
  colour: '#ad1457',
  params: Params,
  examples: [
    { title: 'found by the checksum', params: { ratio: '1%' } },
    { title: 'delivered as data', params: { ratio: '0.1%', checksum: 'remade', bytes: 2 } },
  ],
  check: (params) => checkRatios(params, ['ratio', 'correlation'], ['ratio']),
  qdisc: { need: 'netem', byItself: true },
  shape: (params) => ({
    corrupt: {
      ...likelihoodOf(params),
      bytes: params.bytes ?? 1,
      checksum: params.checksum ?? 'kept',
    },
  }),
  draw: (random) => ({
    ratio: `${random.pick([0.1, 1, 5])}%`,
    checksum: random.pick(['kept', 'remade'] as const),
  }),
});
