import { after, before, describe } from 'node:test';
import type { LabDescription } from '../../src/host/lab/describe.ts';
import { takeDown } from '../../src/host/lab/down.ts';
import { bringUp, type LabOptions } from '../../src/host/lab/up.ts';
import { lacks, ROOT } from './needs.ts';

export type TestLabOptions = Partial<
  Pick<
    LabOptions,
    'name' | 'brokers' | 'controllers' | 'kafka' | 'clients' | 'disks' | 'agents' | 'coordinator'
  >
>;

/** A name no other test uses at this moment. */
export const testLabName = (what = 'test'): string => `${what}-${process.pid}`;

/**
 * One lab for the tests of a file: up before the first, down after the last, whatever they did.
 * Where the machine cannot have a lab the tests are skipped by the need they lack.
 *
 *     withLab({ brokers: 3 }, (lab) => {
 *       test('…', async () => { connect(lab().bootstrap) });
 *     });
 *
 * @param body declares the tests; `lab()` may be called only inside them.
 */
export function withLab(options: TestLabOptions, body: (lab: () => LabDescription) => void): void {
  const name = options.name ?? testLabName();
  const skip = lacks('root', 'namespaces', 'java', 'kafka-jars');
  describe(`lab '${name}'`, { skip }, () => {
    let description: LabDescription | undefined;
    before(
      async () => {
        description = await bringUp({
          brokers: 3,
          clients: 1,
          agents: true,
          coordinator: true,
          ...options,
          name,
          root: ROOT,
          say: () => undefined,
        });
      },
      { timeout: 120_000 },
    );
    after(() => takeDown(name), { timeout: 60_000 });
    body(() => {
      if (description === undefined) throw new Error('lab() is for inside a test');
      return description;
    });
  });
}
