import type { Random } from '../base/random.ts';
import type { ProxyRule } from '../model/proxy-rule.ts';

/** A rule that a seed makes. */
export function drawRule(random: Random): ProxyRule {
  const ratio = random.pick(['1/50', '1/20', '1/5']);
  switch (random.below(5)) {
    case 0:
      return { apiKey: 'Produce', ratio, disconnect: random.pick(['before', 'after'] as const) };
    case 1:
      return { apiKey: 'Produce', ratio, error: 'NOT_LEADER_OR_FOLLOWER' };
    case 2:
      return { apiKey: ['Produce', 'EndTxn'], ratio, delayAfter: random.pick(['500ms', '2s']) };
    case 3:
      return { apiKey: ['EndTxn', 'Produce'], ratio: '1/50', hold: random.pick(['5s', '15s']) };
    default:
      return { ratio: '1/50', delayBefore: random.pick(['100ms', '1s']) };
  }
}
