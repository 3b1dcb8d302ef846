import { diskKind } from './disk/disk-kind.ts';

/** A disk that lies about bytes. */
export const diskCorrupt = diskKind({
  kind: 'disk.corrupt',
  summary: 'Changes bytes of what is read or written.',
  doc: `Changes \`amount\` bits (\`bitFlip\`) or bytes (\`zero\`, \`random\`, and their \`Tail\`
forms) of matching reads or writes. Of a read only the answer is changed, and nothing of it stays in
the page cache when the fault ends; of a write the disk keeps the change. Without \`match.op\` it
means both.

**What a Kafka user sees.** Brokers check no checksum of what consumers fetch: a corrupt batch
reaches the client, which stops at that offset (\`CorruptRecordException\`, "seek past the record to
continue"), while the broker logs nothing. Followers do check: one that copies from a corrupt leader
says "Found invalid messages during fetch" and tries for ever. In an index, positions are wrong: the
broker finds other records than it looked for, or none.

**What it does not do.** What is in the page cache already is read again, once; what is written
while a read is corrupted is not kept in the cache.`,
  colour: '#9334e6',
  examples: [
    {
      title: 'one bit of one read in a hundred',
      params: {
        how: 'bitFlip',
        preset: 'log',
        match: { op: ['read'] },
        when: { probability: '1%' },
      },
    },
    {
      title: 'three appends get zeros at the end',
      params: { how: 'zeroTail', preset: 'log', match: { op: ['write'] }, when: { count: 3 } },
    },
  ],
  draw: (random) => ({
    how: random.pick(['bitFlip', 'zero', 'random'] as const),
    preset: 'log',
    match: { op: [random.pick(['read', 'write'] as const)] },
    when: { probability: '1%' },
  }),
});
