import type { ReadBatch } from './record-batch.ts';

const isDamaged = ({ crcExpected, crcActual }: ReadBatch): boolean => crcExpected !== crcActual;

/**
 * What a reader delivers of control batches: of one whose CRC fails that it is there, and no record of
 * it; of others nothing. That it is a control batch may be all that is wrong.
 */
export function withoutControl(batches: readonly ReadBatch[]): ReadBatch[] {
  return batches.flatMap((batch) => {
    if (!batch.control) return [batch];
    return isDamaged(batch) ? [{ ...batch, records: [] }] : [];
  });
}

export interface AbortedTransaction {
  producerId: number;
  firstOffset: number;
}

/**
 * read_committed filtering as KIP-98 has it, for every aborted range of every producer: going through
 * the batches by offset, a producer is aborted from the first offset of each of its aborted
 * transactions to the next abort marker of that producer. (A map that keeps one range a producer
 * lets records of the others through.)
 * @param batches of one fetch response, in offset order. @param aborted its list, any order.
 * @returns the batches a read_committed reader may deliver, without control batches.
 */
export function committedBatches(
  batches: readonly ReadBatch[],
  aborted: readonly AbortedTransaction[],
): ReadBatch[] {
  const waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<number>();
  const committed: ReadBatch[] = [];
  for (const batch of batches) {
    while ((waiting[0]?.firstOffset ?? Number.POSITIVE_INFINITY) <= batch.lastOffset) {
      open.add((waiting.shift() as AbortedTransaction).producerId);
    }
    if (batch.control) {
      if (batch.marker === 'abort') open.delete(batch.producerId);
      committed.push(batch);
    } else if (!(batch.transactional && open.has(batch.producerId))) {
      committed.push(batch);
    }
  }
  return withoutControl(committed);
}
