import { Type, type Static } from 'typebox';
import type { Problem } from '../base/problem.ts';

const strict = { additionalProperties: false };
const LARGEST = 16 * 1024 * 1024;
const Size = Type.Integer({ minimum: 0, maximum: LARGEST, default: 0 });
const Long = Type.Integer({ default: 0 });

const Constant = Type.Object(
  { type: Type.Literal('constant'), size: Size, value: Type.String({ default: '' }) },
  strict,
);
const Sequential = Type.Object(
  { type: Type.Literal('sequential'), size: Size, startOffset: Long },
  strict,
);
const UniformRandom = Type.Object(
  { type: Type.Literal('uniformRandom'), size: Size, seed: Long, padding: Size },
  strict,
);
const Null = Type.Object({ type: Type.Literal('null') }, strict);
const TimestampRandom = Type.Object(
  { type: Type.Literal('timestampRandom'), size: Size, seed: Long },
  strict,
);
const TimestampConstant = Type.Object(
  { type: Type.Literal('timestampConstant'), size: Size },
  strict,
);
const gaussian = {
  messageSizeAverage: Size,
  messageSizeDeviation: Type.Number({ minimum: 0, maximum: LARGEST, default: 0 }),
  messagesUntilSizeChange: Type.Integer({ default: 0 }),
  seed: Long,
};
const GaussianRandom = Type.Object(
  { type: Type.Literal('gaussianTimestampRandom'), ...gaussian },
  strict,
);
const GaussianConstant = Type.Object(
  { type: Type.Literal('gaussianTimestampConstant'), ...gaussian },
  strict,
);

const SIMPLE = [
  Constant,
  GaussianConstant,
  GaussianRandom,
  Null,
  Sequential,
  TimestampConstant,
  TimestampRandom,
  UniformRandom,
] as const;

const description =
  "a generator with a 'type': constant, sequential, uniformRandom, null, randomComponent, " +
  'timestampRandom, timestampConstant, gaussianTimestampRandom or gaussianTimestampConstant';

const SimplePayload = Type.Union([...SIMPLE], { title: 'generator of payloads', description });
export type SimplePayload = Static<typeof SimplePayload>;

const RandomComponent = Type.Object(
  {
    type: Type.Literal('randomComponent'),
    seed: Long,
    components: Type.Array(
      Type.Object({ percent: Type.Integer({ default: 0 }), component: SimplePayload }, strict),
      { maxItems: 100, default: [] },
    ),
  },
  strict,
);

/** How the keys or values of a load are made, in the words of Trogdor's specs. */
export const PayloadSpec = Type.Union([...SIMPLE, RandomComponent], {
  title: 'generator of payloads',
  description,
});
export type PayloadSpec = Static<typeof PayloadSpec>;

/** What the schema can't say. */
export function checkPayload(spec: PayloadSpec | undefined, path: string): Problem[] {
  switch (spec?.type) {
    case 'uniformRandom':
      if (spec.padding <= spec.size) return [];
      return [
        {
          path: `${path}/padding`,
          message: 'more than the whole payload',
          found: `${spec.padding}`,
        },
      ];
    case 'timestampRandom':
    case 'timestampConstant':
      return spec.size >= 8 ? [] : tooSmall(`${path}/size`, spec.size);
    case 'gaussianTimestampRandom':
    case 'gaussianTimestampConstant':
      if (spec.messageSizeAverage < 8)
        return tooSmall(`${path}/messageSizeAverage`, spec.messageSizeAverage);
      if (spec.messagesUntilSizeChange >= 1) return [];
      return [{ path: `${path}/messagesUntilSizeChange`, message: 'at least 1' }];
    case 'randomComponent':
      return checkComponents(spec, path);
    default:
      return [];
  }
}

function tooSmall(path: string, size: number): Problem[] {
  const message = 'a payload with a timestamp has at least 8 bytes';
  return [{ path, message, found: `${size}` }];
}

function checkComponents(spec: Static<typeof RandomComponent>, path: string): Problem[] {
  const problems = spec.components.flatMap(({ percent, component }, index) => {
    const here = `${path}/components/${index}`;
    const wrong = percent < 1 ? [{ path: `${here}/percent`, message: 'at least 1' }] : [];
    return [...wrong, ...checkPayload(component, `${here}/component`)];
  });
  const sum = spec.components.reduce((total, { percent }) => total + percent, 0);
  if (sum === 100) return problems;
  const message = `the percentages add up to ${sum}, not to 100`;
  return [...problems, { path: `${path}/components`, message }];
}
