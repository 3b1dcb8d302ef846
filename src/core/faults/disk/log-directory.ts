import { applicable, defaultOperations } from '../../disk/kind.ts';
import { operationSet } from '../../disk/operation.ts';
import type { Effect, Match } from '../../disk/specification.ts';
import type { Preset } from './files.ts';

/** What the broker writes by mapped memory: its errors are no IOException, and are caught nowhere. */
const MAPPED: readonly (Preset | undefined)[] = ['index', 'timeindex'];

/** A broker opens for writing, and so on; a failed one is an IOException (Kafka's LocalLog). */
const CHANGES = operationSet(['mutate', 'sync', 'open']);

/**
 * Whether a broker answers a fault by taking the log directory offline, which it stays until the broker
 * is started again. It does for writes, fsyncs and creations that fail; it does not for reads that
 * fail, for what is slow, and for what is wrong without an error.
 */
export function takesOffline(effect: Effect, match: Match = {}, preset?: Preset): boolean {
  if (MAPPED.includes(preset)) return false;
  switch (effect.kind) {
    case 'error':
    case 'full':
    case 'gone':
    case 'readonly': {
      const named = match.op === undefined ? defaultOperations(effect) : operationSet(match.op);
      return (named & applicable(effect) & CHANGES) !== 0;
    }
    case 'fsync':
      return effect.how === 'fails';
    default:
      return false;
  }
}
