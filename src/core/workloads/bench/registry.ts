import type { Bench } from './bench.ts';
import { configurableProducer } from './configurable-producer.ts';
import { connectionStress } from './connection-stress.ts';
import { consumeBench } from './consume-bench.ts';
import { externalCommand } from './external-command.ts';
import { produceBench } from './produce-bench.ts';
import { roundTrip, shareRoundTrip } from './round-trip.ts';
import { shareConsumeBench } from './share-consume-bench.ts';
import { sustainedConnection } from './sustained-connection.ts';

/** One entry a bench. */
export const BENCHES: readonly Bench[] = [
  configurableProducer,
  connectionStress,
  consumeBench,
  externalCommand,
  produceBench,
  roundTrip,
  shareConsumeBench,
  shareRoundTrip,
  sustainedConnection,
];

export function benchNamed(kind: string): Bench | undefined {
  return BENCHES.find((one) => one.kind === kind);
}
