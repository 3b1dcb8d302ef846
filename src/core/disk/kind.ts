import { operationSet } from './operation.ts';
import type { Effect } from './specification.ts';

const ALL = operationSet(['all']);
const DATA = operationSet(['read', 'write']);

/** The operations a kind of fault can touch at all. */
export function applicable(effect: Effect): number {
  switch (effect.kind) {
    case 'corrupt':
    case 'short':
      return DATA;
    case 'torn':
    case 'lost':
    case 'misdirected':
      return operationSet(['write']);
    case 'stale':
      return operationSet(['read']);
    case 'fsync':
      return operationSet(['sync']);
    case 'full':
      return operationSet(['mutate', 'open', 'statfs']);
    case 'readonly':
      return operationSet(['mutate', 'open']);
    case 'error':
    case 'delay':
    case 'stall':
    case 'rate':
    case 'gone':
      return ALL;
  }
}

/** The operations it touches where `match.op` says nothing. */
export function defaultOperations(effect: Effect): number {
  switch (effect.kind) {
    case 'rate':
    case 'delay':
    case 'stall':
    case 'error':
      return operationSet(['data', 'sync']);
    default:
      return applicable(effect);
  }
}
