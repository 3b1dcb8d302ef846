import { degradedNetwork } from './classes/degraded-network.ts';
import { filesUnreadable } from './classes/files-unreadable.ts';
import { networkPartition } from './classes/network-partition.ts';
import { noOp } from './classes/no-op.ts';
import { processStop } from './classes/process-stop.ts';
import type { TaskClass } from './task-class.ts';

/** Every class of Trogdor's specs that is understood. A test holds this list against the folder. */
export const TASK_CLASSES: readonly TaskClass[] = [
  degradedNetwork,
  filesUnreadable,
  networkPartition,
  noOp,
  processStop,
];

/** The last part of a Java name, as people write it. */
export function shortNameOf({ javaName }: TaskClass): string {
  return javaName.slice(javaName.lastIndexOf('.') + 1);
}

/** By its full Java name, or the last part of it. */
export function taskClassNamed(name: string): TaskClass | undefined {
  return TASK_CLASSES.find((one) => one.javaName === name || shortNameOf(one) === name);
}
