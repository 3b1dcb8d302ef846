import { hasEnded, type State } from '../model/lifecycle.ts';
import type { Stage } from './record.ts';

/** What the coordinator wants of a node's part in a fault. */
export type Desired = 'nothing' | 'armed' | 'fired' | 'ended';

export function desiredBy(stage: Stage): Desired {
  switch (stage) {
    case 'pending':
      return 'nothing';
    case 'arming':
      return 'armed';
    case 'firing':
    case 'active':
      return 'fired';
    case 'ending':
    case 'ended':
      return 'ended';
  }
}

/** Tombstones of earlier occurrences stand beside the one that counts. */
export function reportKey(id: string, instance: number): string {
  return `${id} ${instance}`;
}

export type CommandName = 'arm' | 'fire' | 'heal' | 'forget';

/**
 * The one step that brings what an agent reports closer to what is wanted of it. Reports are the
 * only evidence: an answer may be lost after the agent has acted.
 * @param reported undefined: the agent knows no such occurrence.
 * @param recorded how it ended is durable here.
 */
export function commandFor(
  desired: Desired,
  reported: State | undefined,
  recorded: boolean,
): CommandName | undefined {
  if (reported === undefined) return desired === 'armed' ? 'arm' : undefined;
  if (hasEnded(reported)) return recorded ? 'forget' : undefined;
  switch (desired) {
    case 'nothing':
    case 'ended':
      // Healing goes on by itself on the agent, and so do the attempts of a stuck one.
      return reported === 'healing' || reported === 'stuck' ? undefined : 'heal';
    case 'armed':
      return undefined;
    case 'fired':
      return reported === 'armed' ? 'fire' : undefined;
  }
}
