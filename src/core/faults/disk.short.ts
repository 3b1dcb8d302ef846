import { diskKind } from './disk/disk-kind.ts';

/** A disk that does less than it was asked. */
export const diskShort = diskKind({
  kind: 'disk.short',
  summary: 'Carries out only a part of matching reads and writes, and says so.',
  doc: `Of a matching read or write only \`bytes\`, a \`share\` or a random part is done, and the
caller is told how much. POSIX allows that, and few programs expect it.

**What a Kafka user sees.** Nothing, if all is well: brokers write and read in loops until all is
done. It is here to find the program that does not.

**What it does not do.** At least one byte is always done: a disk that is full is \`disk.full\`.`,
  colour: '#7b8d1e',
  examples: [
    {
      title: 'half of every tenth write',
      params: { share: '1/2', match: { op: ['write'] }, when: { every: 10 } },
    },
  ],
  draw: (random) => ({
    random: true,
    preset: 'log',
    when: { probability: random.pick(['10%', '50%']) },
  }),
});
