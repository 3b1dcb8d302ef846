import { createInterface } from 'node:readline';
import { reasonOf } from '../../core/base/failure.ts';

/** What a told process says, a line each. */
export interface Told {
  says: 'prepared' | 'ready' | 'failed';
  reason?: string;
}

export const GO = 'go';

const say = (word: Told): void => void process.stdout.write(`${JSON.stringify(word)}\n`);

/**
 * The process's side of ToldProcesses: reads its orders, and serves. `wanted` is to be awaited between
 * getting ready and coming into force: it asks whoever started this process, and where nobody is left
 * who could want it, the process ends there. So a start that takes long never outlives its fault.
 */
export async function obey(
  serve: (orders: unknown, wanted: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const left = (): never => process.exit(0);
  lines.once('close', left);
  const line = (): Promise<string> => new Promise((resolve) => lines.once('line', resolve));
  try {
    const orders: unknown = JSON.parse(await line());
    await serve(orders, async () => {
      const answer = line();
      say({ says: 'prepared' });
      if ((await answer) !== GO) left();
      lines.off('close', left);
      process.stdin.destroy();
    });
    say({ says: 'ready' });
  } catch (error) {
    say({ says: 'failed', reason: reasonOf(error) });
    process.exit(1);
  }
}
