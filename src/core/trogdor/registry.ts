import { configurableProducer } from './classes/configurable-producer.ts';
import { connectionStress } from './classes/connection-stress.ts';
import { consumeBench } from './classes/consume-bench.ts';
import { degradedNetwork } from './classes/degraded-network.ts';
import { externalCommand } from './classes/external-command.ts';
import { filesUnreadable } from './classes/files-unreadable.ts';
import { networkPartition } from './classes/network-partition.ts';
import { noOp } from './classes/no-op.ts';
import { processStop } from './classes/process-stop.ts';
import { produceBench } from './classes/produce-bench.ts';
import { roundTrip } from './classes/round-trip.ts';
import { shareConsumeBench } from './classes/share-consume-bench.ts';
import { shareRoundTrip } from './classes/share-round-trip.ts';
import { sustainedConnection } from './classes/sustained-connection.ts';
import type { TaskClass } from './task-class.ts';

/** Every class of Trogdor's specs that is understood. A test holds this list against the folder. */
export const TASK_CLASSES: readonly TaskClass[] = [
  configurableProducer,
  connectionStress,
  consumeBench,
  degradedNetwork,
  externalCommand,
  filesUnreadable,
  networkPartition,
  noOp,
  processStop,
  produceBench,
  roundTrip,
  shareConsumeBench,
  shareRoundTrip,
  sustainedConnection,
];

/** The last part of a Java name, as people write it. */
export function shortNameOf({ javaName }: TaskClass): string {
  return javaName.slice(javaName.lastIndexOf('.') + 1);
}

/** By its full Java name, or the last part of it. */
export function taskClassNamed(name: string): TaskClass | undefined {
  return TASK_CLASSES.find((one) => one.javaName === name || shortNameOf(one) === name);
}
