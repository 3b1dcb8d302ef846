import { parseInstant } from '../base/instant.ts';
import { kindNamed } from '../faults/registry.ts';
import type { FaultStatus } from '../model/fault-status.ts';
import type { NodeName } from '../model/topology.ts';

/** After these a broker is another process, with all its log directories. */
const RESTARTS: readonly string[] = ['process.kill', 'process.restart', 'disk.powercut'];

const ms = (instant: string | undefined): number =>
  instant === undefined ? Number.POSITIVE_INFINITY : (parseInstant(instant) ?? 0);

/** A node, and the fault that has its broker's log directory offline. */
export interface OfflineDirectory {
  node: NodeName;
  fault: string;
}

/**
 * Whose log directories the faults of a run have left offline: Kafka brings them back when their broker
 * is started again, and not before. That a topic-partition is short of them then is no anomaly.
 */
export function leftOffline(faults: readonly FaultStatus[]): OfflineDirectory[] {
  const fired = faults.filter((fault) => fault.firedAt !== undefined);
  return fired.flatMap((fault) => {
    const { id, kind, request, targets, effect } = fault;
    if (effect !== 'seen') return [];
    if (kindNamed(kind)?.takesLogDirectory?.(request.params ?? {}) !== true) return [];
    const restarted = (node: NodeName): boolean =>
      fired.some(
        (other) =>
          RESTARTS.includes(other.kind) &&
          other.targets.includes(node) &&
          ms(other.endedAt) >= ms(fault.endedAt),
      );
    return targets.filter((node) => !restarted(node)).map((node) => ({ node, fault: id }));
  });
}
