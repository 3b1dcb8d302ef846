/** Every state of a fault, on a node and as a whole. */
export const STATES = [
  'pending',
  'arming',
  'armed',
  'active',
  'healing',
  'healed',
  'refused',
  'missed',
  'failed',
  'stuck',
  'cancelled',
] as const;
export type State = (typeof STATES)[number];

/** What each state may become. The diagram in the docs is printed from this table. */
export const TRANSITIONS: Readonly<Record<State, readonly State[]>> = {
  pending: ['arming', 'cancelled', 'missed', 'refused'],
  arming: ['armed', 'refused', 'cancelled', 'failed', 'healing'],
  armed: ['active', 'healing', 'missed', 'cancelled', 'failed'],
  active: ['healing', 'healed'],
  healing: ['healed', 'failed', 'stuck', 'cancelled', 'missed'],
  stuck: ['healing', 'healed', 'failed', 'cancelled', 'missed', 'refused'],
  healed: [],
  refused: [],
  missed: [],
  failed: [],
  cancelled: [],
};

/** Nothing happens any more, and nothing of it is on a node. */
export const ENDED: readonly State[] = ['healed', 'refused', 'missed', 'failed', 'cancelled'];

export function hasEnded(state: State): boolean {
  return ENDED.includes(state);
}

/** Who ended a fault. All but the first two are early. */
export const ENDED_BY = [
  'deadline',
  'request',
  'lease',
  'kernelExpiry',
  'guard',
  'agentRestart',
  'reboot',
] as const;
export type EndedBy = (typeof ENDED_BY)[number];

export function endedEarly(endedBy: EndedBy | undefined): boolean {
  return endedBy !== undefined && endedBy !== 'deadline' && endedBy !== 'request';
}

export type Effect = 'seen' | 'unseen' | 'untestable' | 'pending';

/** The worst of the nodes' states speaks for the fault; earlier in this list is worse. */
const WORST: readonly State[] = [
  'stuck',
  'healing',
  'arming',
  'pending',
  'armed',
  'active',
  'failed',
  'refused',
  'missed',
  'cancelled',
  'healed',
];

/** One state for a fault out of those of its acting nodes. */
export function overallState(states: readonly State[]): State {
  return WORST.find((state) => states.includes(state)) ?? 'pending';
}
