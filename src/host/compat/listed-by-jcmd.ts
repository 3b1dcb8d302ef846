import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { Failure } from '../../core/base/failure.ts';
import { listedCommand } from '../../core/codec/hsperf.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/**
 * The user's directory, held open: what is done by this descriptor is done in the directory that was
 * looked at, whatever others in /tmp do meanwhile. A JVM asks for the same: ours, and writable by us alone.
 * @throws Failure 'not-ours'; or what the system says
 */
function openDirectory(path: string, uid: number): number {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  const directory = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const { uid: owner, mode } = fstatSync(directory);
  if (owner === uid && (mode & 0o022) === 0) return directory;
  closeSync(directory);
  const message = `${path} is not this user's alone`;
  throw new Failure('not-ours', message, { definite: true });
}

/**
 * Has jcmd and jps list this process, which is no JVM, as `command`: kafkatest finds daemons by nothing
 * else when it ends them. @returns takes it away again
 * @throws Failure 'not-ours'; or what the system says
 */
export function listForJcmd(command: string, temporary = '/tmp'): () => void {
  const { username, uid } = userInfo();
  const directory = openDirectory(`${temporary}/hsperfdata_${username}`, uid);
  const file = `/proc/self/fd/${directory}/${process.pid}`;
  const remove = (): void => rmSync(file, { force: true });
  // Of a dead process that had our pid.
  remove();
  const opened = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(opened, listedCommand(command));
  } finally {
    closeSync(opened);
  }
  // A listed process may be asked for its threads by this signal, which would end one that is no JVM.
  const ignore = (): void => undefined;
  process.on('SIGQUIT', ignore);
  process.once('exit', remove);
  return () => {
    process.off('SIGQUIT', ignore);
    process.off('exit', remove);
    remove();
    closeSync(directory);
  };
}
