import type { Verdict } from '../../core/disk/decide.ts';
import type { Published } from '../../core/disk/rule.ts';

/** What the threads of a file system tell each other. */

/** To a lane: keep a request (or the finished reply to one) for a while. */
export interface Hold {
  type: 'hold';
  unique: bigint;
  /** The queue the request came from: the reply must go there. */
  device: number;
  /** The thread that called; 0 if unknown. */
  pid: number;
  bytes: ArrayBuffer;
  isReply: boolean;
  verdict: Verdict;
  waitMs: number;
  epoch: number;
}

/** To a lane: the caller of a request got a signal. */
export interface Interrupted {
  type: 'interrupted';
  unique: bigint;
}

/** To a lane: these places are no longer in force, from this epoch on. */
export interface Healed {
  type: 'healed';
  places: number[];
  epoch: number;
}

export type LaneMessage = Hold | Interrupted | Healed;

/** To the notifier: pages of a node; `done` counts up when the kernel has let go of them. */
export interface Pages {
  type: 'pages';
  node: number;
  offset: number;
  length: number;
  done?: Int32Array;
}

/** To the notifier: everything the old or the new rules could touch. */
export interface Sweep {
  type: 'sweep';
  /** Its report has the same: one that comes too late is not taken for the next one's. */
  number: number;
  before: Published;
  after: Published;
  /** Names that lead elsewhere now: the directory's node, and the bytes as latin1. */
  names: readonly { directory: number; name: string }[];
}

/** To the notifier: a name moved; what was no fault's may be one's now. */
export interface Moved {
  type: 'moved';
  node: number;
  isDirectory: boolean;
}

export type NoticeMessage = Pages | Sweep | Moved;

/** Back to the control thread. */
export type Report =
  | { type: 'healed'; epoch: number }
  | { type: 'swept'; number: number }
  /** The control file was written; whoever takes it replies to `unique` on `device`. */
  | { type: 'control'; text: string; unique: bigint; device: number }
  | { type: 'hit'; places: number[]; operation: string; path: string; errno: number };
