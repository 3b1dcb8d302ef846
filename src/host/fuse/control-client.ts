import { request } from 'node:http';
import { readlinkSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { describeProblem, type Problem } from '../../core/base/problem.ts';
import { controlPath } from './control-path.ts';

/** As many as the kernel follows. */
const MOST_LINKS = 40;

/** Where a symbolic link leads; undefined where there is none. A mount there is not entered. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // A directory as a rule; what is not there at all is found out by whoever uses the path.
    return undefined;
  }
}

/** The mount point as the server named it: symlinks resolved, but the mount itself not entered. */
export function canonicalMountPoint(path: string): string {
  let whole = resolve(path);
  for (let links = 0; whole !== '/'; links++) {
    const parent = realpathSync(resolve(whole, '..'));
    whole = resolve(parent, whole.slice(whole.lastIndexOf('/') + 1));
    const link = links < MOST_LINKS ? linkAt(whole) : undefined;
    if (link === undefined) return whole;
    whole = resolve(parent, link);
  }
  return whole;
}

/**
 * Asks the file system mounted at a place.
 * @throws Failure 'not-mounted' where none answers, 'refused' with every problem.
 */
export async function askDisk(
  mountPoint: string,
  method: string,
  route: string,
  body?: string,
  timeoutMs = 60_000,
  signal?: AbortSignal,
): Promise<unknown> {
  const socketPath = controlPath(canonicalMountPoint(mountPoint));
  const { status, text } = await new Promise<{ status: number; text: string }>(
    (resolveAnswer, reject) => {
      const options = { socketPath, method, path: route, timeout: timeoutMs, signal };
      const asked = request(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(parts).toString('utf8');
          resolveAnswer({ status: response.statusCode ?? 0, text: whole });
        });
      });
      asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      asked.on('error', reject);
      asked.end(body);
    },
  ).catch((error: unknown) => {
    const message = `no file system of ours answers at ${mountPoint}: ${reasonOf(error)}`;
    throw new Failure('not-mounted', message, { definite: false, cause: error });
  });
  const answer = JSON.parse(text || '{}') as { title?: string; problems?: Problem[] };
  if (status === 200) return answer;
  const lines = [
    answer.title ?? `status ${status}`,
    ...(answer.problems ?? []).map(describeProblem),
  ];
  throw new Failure('refused', lines.join('\n  '), { definite: true });
}

/** Nobody listens there: the process has ended. (One that hangs would keep us waiting.) */
export function isGone(error: unknown): boolean {
  if (!(error instanceof Failure) || error.code !== 'not-mounted') return false;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOENT' || code === 'ECONNREFUSED';
}
