import { Type, type Static } from 'typebox';

const strict = { additionalProperties: false };
const Count = Type.Integer({ default: 0 });
const Deviation = Type.Number({ minimum: 0, default: 0 });
const Window = Type.Integer({ minimum: 1, maximum: 3_600_000, default: 100 });

/** How many records a window of time gets. Not above 0: as many as go. */
export const ThroughputSpec = Type.Union(
  [
    Type.Object(
      { type: Type.Literal('constant'), messagesPerWindow: Count, windowSizeMs: Window },
      strict,
    ),
    Type.Object(
      {
        type: Type.Literal('gaussian'),
        messagesPerWindowAverage: Count,
        messagesPerWindowDeviation: Deviation,
        windowsUntilRateChange: Count,
        windowSizeMs: Window,
      },
      strict,
    ),
  ],
  { title: 'generator of a throughput', description: "with the 'type' constant or gaussian" },
);
export type ThroughputSpec = Static<typeof ThroughputSpec>;

/** After how many records everything must have been written before more are made. */
export const FlushSpec = Type.Union(
  [
    Type.Object({ type: Type.Literal('constant'), messagesPerFlush: Count }, strict),
    Type.Object(
      {
        type: Type.Literal('gaussian'),
        messagesPerFlushAverage: Count,
        messagesPerFlushDeviation: Deviation,
      },
      strict,
    ),
  ],
  { title: 'generator of flushes', description: "with the 'type' constant or gaussian" },
);
export type FlushSpec = Static<typeof FlushSpec>;

/** When transactions begin and are committed. */
export const TransactionSpec = Type.Union(
  [
    Type.Object(
      { type: Type.Literal('uniform'), messagesPerTransaction: Type.Integer({ minimum: 1 }) },
      strict,
    ),
    Type.Object(
      { type: Type.Literal('interval'), transactionIntervalMs: Type.Integer({ minimum: 1 }) },
      strict,
    ),
  ],
  { title: 'generator of transactions', description: "with the 'type' uniform or interval" },
);
export type TransactionSpec = Static<typeof TransactionSpec>;
