import type { FaultKind } from '../model/fault.ts';
import { noop } from './noop.ts';

/** Every fault kind, by name. A test holds this list against the folder. */
export const KINDS: readonly FaultKind[] = [noop];

export function kindNamed(name: string): FaultKind | undefined {
  return KINDS.find((kind) => kind.kind === name);
}
