import type { CorruptBatch, Polled, StrangeRecord } from '../../core/model/operation.ts';
import { readPayload, type RunMark } from '../../core/workloads/payload.ts';
import type { PolledBatches } from '../kafka/reader.ts';

/** Most strange records told of one poll; one is enough to be wrong. */
const MOST_STRANGE = 20;

/** What a fetch brought, as the history keeps it: runs of consecutive values, and what is wrong. */
export function recordPoll(polled: PolledBatches, topic: number, run: RunMark): Polled {
  const { place, from, next, highWatermark, batches } = polled;
  const runs: [number, number, number, number][] = [];
  const strange: StrangeRecord[] = [];
  const corrupt: CorruptBatch[] = [];
  if (polled.damage !== undefined) {
    corrupt.push({ offset: from, expected: 0, actual: 0, damage: polled.damage });
  }
  let open: [number, number, number, number] | undefined;
  for (const batch of batches) {
    const { baseOffset, crcExpected, crcActual, damage } = batch;
    if (crcExpected !== crcActual || damage !== undefined) {
      const sums = { expected: crcExpected, actual: crcActual };
      corrupt.push({ offset: baseOffset, ...sums, ...(damage === undefined ? {} : { damage }) });
    }
    for (const { offset, value } of batch.records) {
      // A fetch returns whole batches: records before the position were not asked for.
      if (offset < from) continue;
      const read = readPayload(value, run, topic, place.topicPartition);
      if (read.kind !== 'value') {
        const bytes = value?.subarray(0, 48).toString('hex') ?? 'null';
        if (strange.length < MOST_STRANGE) strange.push({ offset, why: read.kind, bytes });
        continue;
      }
      const { writer, sequence } = read;
      const follows =
        open !== undefined &&
        open[1] === writer &&
        open[0] + open[3] === offset &&
        open[2] + open[3] === sequence;
      if (follows && open !== undefined) {
        open[3]++;
      } else {
        open = [offset, writer, sequence, 1];
        runs.push(open);
      }
    }
  }
  const entry: Polled = {
    topic,
    topicPartition: place.topicPartition,
    from,
    next,
    end: highWatermark,
    runs: runs,
  };
  if (strange.length > 0) entry.strange = strange;
  if (corrupt.length > 0) entry.corrupt = corrupt;
  return entry;
}

export function rowsOf(polled: Polled): number {
  return polled.runs.reduce((sum, run) => sum + run[3], 0);
}
