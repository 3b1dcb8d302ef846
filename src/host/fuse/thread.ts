import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { assert } from '../../core/base/assert.ts';
import { Engine, type EngineOptions } from './engine.ts';
import { openMemory, WORD, type Shared } from './memory.ts';
import { runSession } from './session.ts';
import { serve } from './dispatch.ts';

/** What a thread of the file system is given. */
export interface ThreadData {
  role: 'serve' | 'lane' | 'notify';
  shared: Shared;
  options: EngineOptions;
  /** Its queue of /dev/fuse. */
  device: number;
  /** To the threads it talks with. */
  ports: Record<string, MessagePort>;
}

const data = workerData as ThreadData;
const memory = openMemory(data.shared);

function ready(): void {
  Atomics.add(memory.words, WORD.ready, 1);
  Atomics.notify(memory.words, WORD.ready);
}

assert(parentPort !== null, 'this file is started as a thread');
if (data.role === 'serve') {
  const engine = new Engine(memory, data.options);
  ready();
  runSession(engine, data.device, {
    handle: serve,
    interrupted: () => undefined,
    replied: () => undefined,
  });
}
