import {
  closeSync,
  constants,
  existsSync,
  openSync,
  rmSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { nodeDirectory, type LabPlace } from './place.ts';

let asked = 0;

/**
 * Asks a node's init to start or end a service ('broker', 'agent'); see lab/node-init.sh.
 * @returns what the init answered, without its 'ok: '.
 * @throws Failure 'node-dead' where no init reads the request, 'node-refused' with its reason.
 */
export async function askInit(
  place: LabPlace,
  node: string,
  verb: 'start' | 'stop' | 'kill',
  service: string,
): Promise<string> {
  const directory = nodeDirectory(place, node);
  const id = `${process.pid}${String(++asked).padStart(6, '0')}`;
  try {
    // Not blocking: without an init there is no reader, and open fails with ENXIO.
    const control = openSync(join(directory, 'control'), constants.O_WRONLY | constants.O_NONBLOCK);
    writeSync(control, `${verb} ${service} ${id}\n`);
    closeSync(control);
  } catch (error) {
    const message = `node ${node} does not take requests: ${reasonOf(error)}`;
    throw new Failure('node-dead', message, { definite: true, cause: error });
  }
  const answerFile = join(directory, 'replies', id);
  for (const until = performance.now() + 10_000; !existsSync(answerFile); await sleep(10)) {
    if (performance.now() > until) {
      const message = `the init of node ${node} does not answer`;
      throw new Failure('node-silent', message, { definite: false });
    }
  }
  const answer = readFileSync(answerFile, 'utf8').trim();
  rmSync(answerFile, { force: true });
  if (!answer.startsWith('ok: ')) {
    throw new Failure('node-refused', `node ${node}: ${answer}`, { definite: true });
  }
  return answer.slice('ok: '.length);
}
