/** What a packet process has done, and what the rules have steered to it. */
export type PacketQuery = { query: 'steeredPackets'; token: string };

export interface PacketCounts {
  query: 'steeredPackets';
  /** Whether the process runs. */
  running: boolean;
  /** Whether its loop runs before all others (SCHED_FIFO). */
  realtime: boolean;
  /** Packets that rules have steered, by peer; merged ones count once. */
  steered: Record<string, number>;
  seen: number;
  dropped: number;
  delayed: number;
  duplicated: number;
  corrupted: number;
  reordered: number;
  /** Dropped because their turn would have come too late. */
  overLimit: number;
  /** Passed as if there were no fault, because the process was too slow: the effect was weaker. */
  untouched: number;
  /** Waiting at the moment. */
  held: number;
}

export const NO_PACKETS: PacketCounts = {
  query: 'steeredPackets',
  running: false,
  realtime: false,
  steered: {},
  seen: 0,
  dropped: 0,
  delayed: 0,
  duplicated: 0,
  corrupted: 0,
  reordered: 0,
  overLimit: 0,
  untouched: 0,
  held: 0,
};
