import type { DiskSpecification } from '../../core/disk/specification.ts';
import type { EndedBy } from '../../core/disk/standing.ts';

export interface FaultState {
  id: string;
  /** 'track' where it only keeps track of what is unsynced. */
  kind: string;
  /** 'specification' for those of the specification. */
  owner: string;
  /** In force now (not before its `when.delay`, after its `when.duration` or its end). */
  active: boolean;
  matched: number;
  hits: number;
  /** How long it still stands; left out where nothing ends it by itself. */
  deadlineMs?: number;
  leaseMs?: number;
  /** Of one that stands no more. */
  endedBy?: EndedBy;
}

export interface DiskState {
  target: string;
  mountPoint: string;
  specification: DiskSpecification;
  faults: FaultState[];
  /** Whether a power cut would know what is unsynced. */
  tracking: boolean;
  /** Requests held now, and the events that were not kept. */
  held: number;
  eventsDropped: number;
  /** The number of the last event. */
  lastEvent: number;
  inodes: number;
}
