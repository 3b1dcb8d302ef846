/** RealLinux over standard input and output: one JSON line a call. Run it inside a namespace. */
import { createInterface } from 'node:readline';
import { Failure, reasonOf } from '../../src/core/base/failure.ts';
import { RealLinux } from '../../src/host/linux/real-linux.ts';

// Not by arguments: a match would find them.
const linux = new RealLinux(JSON.parse(process.env['FAULTLINE_TEST_LINUX'] ?? '{}'));

async function carryOut(line: string): Promise<void> {
  const { id, method, argument } = JSON.parse(line) as Record<string, unknown>;
  const call = linux[method as 'perform'] as (argument: unknown) => Promise<unknown>;
  const startedAt = performance.now();
  try {
    const value = await call.call(linux, argument);
    const tookMs = performance.now() - startedAt;
    process.stdout.write(`${JSON.stringify({ id, value, tookMs })}\n`);
  } catch (error) {
    const failure =
      error instanceof Failure
        ? { code: error.code, definite: error.definite, message: error.message }
        : { code: 'bug', definite: false, message: reasonOf(error) };
    process.stdout.write(`${JSON.stringify({ id, failure })}\n`);
  }
}

// As an agent does: what is asked for does not wait for what is under way.
createInterface({ input: process.stdin }).on('line', (line) => void carryOut(line));
