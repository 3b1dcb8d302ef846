import { STATES } from './lifecycle.ts';

/** Every type of event on GET /v1/events, and when it is sent. A test holds the code to this table. */
export const EVENT_TYPES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    STATES.map((state) => [
      `fault.${state}`,
      `A fault, or an agent's part in it, is now ${state}.`,
    ]),
  ),
  'fault.created': 'A fault was accepted and is on disk.',
  'fault.occurrence': 'One occurrence of a repeating fault has ended; the next one is planned.',
  'fault.endedEarly':
    'A fault ended on a node by neither its deadline nor a request; data.endedBy says by what.',
  'fault.contactLost': 'The link to a node is gone while a fault stands there.',
  'fault.hit':
    'A disk fault has hit a request; data has operation, path and errno. Ten of a fault are told at once, then one a second; data.leftOut counts those that were not.',
  'disk.ended': 'A file system of ours on a node has ended: its process died, or it was unmounted.',
  'node.linked': 'The coordinator and the agent of a node are linked.',
  'node.lost': 'The link to the agent of a node is gone.',
  'run.phase': 'A run has entered its next phase.',
  'run.done': 'A run has ended; the message has its outcome.',
  'cluster.changed':
    'The active controller, the brokers, leaders or in-sync replicas are others than half a second ago; data says which.',
  'coordinator.halted': 'Everything is being healed; new faults are refused until resume.',
  'coordinator.resumed': 'New faults are allowed again.',
};
