import { applicable, defaultOperations } from '../../disk/kind.ts';
import { operationSet } from '../../disk/operation.ts';
import type { Effect, Match, When } from '../../disk/specification.ts';
import type { DiskProbe } from '../../model/fault.ts';

const READS = operationSet(['lookup', 'open', 'read']);
const LOOKS = operationSet(['getattr']);
const SYNCS = operationSet(['fsync']);

/**
 * What shows that a fault bites, and does no harm on a disk that somebody needs: nothing is written,
 * created or removed there, not for a moment. So a fault of writes is seen by what its users write. Nor
 * is a hit taken away that was counted out for them, and a sync is made only where it is not carried out.
 */
export function probeOf(effect: Effect, match: Match, when: When): DiskProbe['disk'] | undefined {
  const { skip, every, count, sequence, delay } = when;
  if ([skip, every, count, sequence, delay].some((each) => each !== undefined)) return undefined;
  const { pid, uid, range } = match;
  if ([pid, uid, range].some((each) => each !== undefined)) return undefined;
  if (['full', 'fsync', 'readonly'].includes(effect.kind)) return undefined;
  const named = match.op === undefined ? defaultOperations(effect) : operationSet(match.op);
  const operations = named & applicable(effect);
  if ((operations & READS) !== 0) return 'read';
  if ((operations & LOOKS) !== 0) return 'look';
  return (operations & SYNCS) !== 0 && effect.kind === 'error' ? 'sync' : undefined;
}
