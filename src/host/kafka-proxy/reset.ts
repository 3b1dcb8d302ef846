import { reasonOf } from '../../core/base/failure.ts';
import { exec } from '../exec.ts';

/**
 * Resets the open connections of some ports (ss -K, ss(8)), so that clients come back through the
 * proxy. @returns why that could not be done, where it could not.
 */
export async function resetConnections(ports: readonly number[]): Promise<string | undefined> {
  const filter = ports.flatMap((port) => ['or', 'sport', '=', `:${port}`]).slice(1);
  try {
    await exec(['ss', '-K', '-t', '-n', 'state', 'established', '(', ...filter, ')']);
    return undefined;
  } catch (error) {
    return `open connections stay as they are: ${reasonOf(error)}`;
  }
}
