/** Specs of payload generators whose payloads were recorded, and the positions, in this order. */
export interface PayloadCase {
  spec: Record<string, unknown>;
  positions: readonly number[];
}

const FIRST = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2, 0];
const gaussian = { messageSizeAverage: 24, messageSizeDeviation: 6.5, messagesUntilSizeChange: 3 };

export const PAYLOAD_CASES: readonly PayloadCase[] = [
  { spec: { type: 'constant', size: 5, value: 'AQI=' }, positions: [0, 1] },
  { spec: { type: 'constant', size: 2, value: 'AQID/w==' }, positions: [0] },
  { spec: { type: 'constant', size: 3 }, positions: [0] },
  { spec: { type: 'null' }, positions: [0, 1] },
  { spec: { type: 'sequential', size: 4 }, positions: [0, 1, 255, 256, 65_535, -1] },
  { spec: { type: 'sequential', size: 12, startOffset: 7 }, positions: [1, 1_099_511_627_776] },
  { spec: { type: 'sequential', size: 2, startOffset: 1 }, positions: [1, 65_535, 65_536] },
  { spec: { type: 'uniformRandom', size: 32, seed: 123, padding: 10 }, positions: FIRST },
  { spec: { type: 'uniformRandom', size: 7, seed: -5 }, positions: [0, 1, 4_294_967_301, 4] },
  { spec: { type: 'uniformRandom', size: 9, seed: 1, padding: 9 }, positions: [0, 1] },
  { spec: { type: 'timestampRandom', size: 21, seed: 5 }, positions: FIRST },
  { spec: { type: 'timestampConstant', size: 10 }, positions: [0, 1] },
  { spec: { type: 'gaussianTimestampRandom', ...gaussian, seed: 5 }, positions: FIRST },
  { spec: { type: 'gaussianTimestampConstant', ...gaussian, seed: -9 }, positions: FIRST },
  {
    spec: { type: 'gaussianTimestampRandom', ...gaussian, messageSizeAverage: 9, seed: 77 },
    positions: FIRST,
  },
  {
    spec: {
      type: 'randomComponent',
      seed: 1,
      components: [
        { percent: 50, component: { type: 'null' } },
        { percent: 20, component: { type: 'sequential', size: 4 } },
        { percent: 30, component: { type: 'uniformRandom', size: 6, seed: 2 } },
      ],
    },
    positions: FIRST,
  },
];

/** Payloads that begin with the time begin with it at any time: it is not compared. */
export function hasTimestamp({ spec }: PayloadCase): boolean {
  return /timestamp/i.test(String(spec['type']));
}
