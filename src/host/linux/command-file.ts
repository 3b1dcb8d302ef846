import { randomBytes } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Hands commands to a program as a file without a name: where we die meanwhile, nothing is left of it.
 * Not as a pipe: nft opens /dev/stdin by name, which a socket (Node's pipes are some) does not allow.
 * @param directory best a tmpfs.
 * @param use gets the descriptor, for the program's standard input.
 */
export async function withCommands<T>(
  directory: string,
  commands: string,
  use: (input: number) => Promise<T>,
): Promise<T> {
  const path = join(directory, `commands-${randomBytes(8).toString('hex')}`);
  const input = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
    const bytes = Buffer.from(commands);
    // By position, so that whoever inherits the descriptor reads from the beginning.
    for (let at = 0; at < bytes.length;) at += writeSync(input, bytes, at, bytes.length - at, at);
    return await use(input);
  } finally {
    closeSync(input);
  }
}
