import { Type } from 'typebox';
import { faultKind } from '../model/fault.ts';

/** Does nothing, through the whole machinery: arming, journal, firing, healing. */
export const noop = faultKind({
  kind: 'noop',
  summary: 'Does nothing: shows that arming, firing and healing work.',
  doc: `Goes through everything a fault goes through (probe, plan, journal, fire, witness, heal) and
touches nothing. Use it to try schedules, tokens and blast radius limits, or to mark a time on the
timeline of a run. Kafka sees nothing of it, so its effect is \`untestable\`.`,
  standing: true,
  namesNodes: false,
  colour: '#9aa0a6',
  params: Type.Object({}, { additionalProperties: false }),
  examples: [{ title: 'nothing', params: {} }],
  needs: [[]],
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  observe: () => [],
  plan: (_params, here) => [
    {
      says: 'do nothing',
      act: { act: 'noop', token: here.token },
      undo: { act: 'noop', token: here.token },
    },
  ],
  claims: () => [],
  witness: () => ({ untestable: 'there is nothing to see of a fault that does nothing' }),
  draw: () => ({ params: {}, targets: 'one' }),
});
