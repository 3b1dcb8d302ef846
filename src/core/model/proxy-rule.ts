import { Type, type Static } from 'typebox';
import { Duration } from '../base/duration.ts';
import { Ratio } from '../base/ratio.ts';

const Name = Type.String({ minLength: 1, maxLength: 64 });
const pattern = (what: string): ReturnType<typeof Type.String> =>
  Type.String({
    minLength: 1,
    maxLength: 255,
    description: `${what}; * stands for any characters`,
  });

/** Which requests a rule is about, when it fires, and what it then does: exactly one of the last eight. */
export const ProxyRule = Type.Object(
  {
    apiKey: Type.Optional(
      Type.Union([Name, Type.Array(Name, { minItems: 1, maxItems: 64 })], {
        title: 'API name, or list of them',
        description: "'Produce', ['EndTxn', 'AddPartitionsToTxn']; without it every request",
      }),
    ),
    clientId: Type.Optional(pattern('client.id')),
    topic: Type.Optional(pattern('a topic that the request names')),
    topicPartition: Type.Optional(pattern("a topic-partition that it names, as 'orders-3'")),
    transactionalId: Type.Optional(pattern('transactional.id')),
    group: Type.Optional(pattern('group.id')),
    nth: Type.Optional(
      Type.Integer({ minimum: 1, description: 'only the n-th request that matches, from 1' }),
    ),
    ratio: Type.Optional(Ratio),
    once: Type.Optional(Type.Boolean({ description: 'fires once and never again' })),
    error: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description:
          "answered with this error ('NOT_LEADER_OR_FOLLOWER'); the broker never sees it",
      }),
    ),
    delayBefore: Type.Optional(Duration),
    delayAfter: Type.Optional(Duration),
    loseReply: Type.Optional(
      Type.Boolean({ description: 'the broker applies it; nothing more is answered there' }),
    ),
    hold: Type.Optional(Duration),
    duplicate: Type.Optional(Type.Boolean({ description: 'the broker gets it twice' })),
    disconnect: Type.Optional(
      Type.Enum(['before', 'after'], {
        description: 'the connection ends before the broker sees it, or in place of its answer',
      }),
    ),
    truncateFetch: Type.Optional(Ratio),
  },
  { additionalProperties: false },
);
export type ProxyRule = Static<typeof ProxyRule>;

export const ProxyRules = Type.Array(ProxyRule, { minItems: 1, maxItems: 64 });

/** How often a rule was about a request, and how often it then fired. */
export interface RuleCounts {
  matched: number;
  hits: number;
}
