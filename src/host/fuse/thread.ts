import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { assert } from '../../core/base/assert.ts';
import { Engine, type EngineOptions } from './engine.ts';
import { Faults } from './faults.ts';
import { Judge } from './judge.ts';
import { Lane } from './lane.ts';
import { openMemory, WORD, type Shared } from './memory.ts';
import { Notices } from './notices.ts';
import { Notifier } from './notifier.ts';
import { runSession } from './session.ts';

/** What a thread of the file system is given. */
export interface ThreadData {
  role: 'serve' | 'lane' | 'notify';
  shared: Shared;
  options: EngineOptions;
  /** Its queue of /dev/fuse. */
  device: number;
  /** To the lanes and the notifier (serve, lane). */
  lanes: MessagePort[];
  notifier: MessagePort | undefined;
  /** From all who ask something of it (lane, notify). */
  clients: MessagePort[];
}

const data = workerData as ThreadData;
const memory = openMemory(data.shared);
const control = parentPort;
assert(control !== null, 'this file is started as a thread');
const engine = new Engine(memory, data.options);
const { lanes, notifier, device } = data;

if (data.role === 'notify') {
  const thread = new Notifier(engine, new Notices(device), control);
  for (const port of data.clients) thread.listen(port);
} else {
  assert(notifier !== undefined, 'a thread without a notifier');
  const judge = new Judge(memory);
  engine.isWatched = (node) => judge.watchesMetadata(engine, node);
  engine.isNameWatched = (directory, name) => judge.watchesName(engine, directory, name);
  engine.wantsFlush = (node) => judge.wantsFlush(engine, node);
  const faults = new Faults(memory, judge, device, { lanes, notifier, control });
  if (data.role === 'lane') {
    const lane = new Lane(engine, faults, control);
    for (const port of data.clients) lane.listen(port);
  } else {
    Atomics.add(memory.words, WORD.ready, 1);
    Atomics.notify(memory.words, WORD.ready);
    runSession(engine, device, faults);
    // Its ports would keep the thread alive.
    process.exit(0);
  }
}
Atomics.add(memory.words, WORD.ready, 1);
Atomics.notify(memory.words, WORD.ready);
