import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { OPCODES } from '../../../src/core/codec/fuse/constants.ts';
import { Engine, NO_REPLY } from '../../../src/host/fuse/engine.ts';
import { serve } from '../../../src/host/fuse/dispatch.ts';
import { createShared, openMemory } from '../../../src/host/fuse/memory.ts';
import { NodeTable } from '../../../src/host/fuse/node-table.ts';
import { lacks } from '../../support/needs.ts';

const SEED = 4711;
const ROUNDS = 30_000;
/** Its body says how many bytes to allocate: a random number of them would fill the disk. */
const EXPENSIVE: number[] = [OPCODES.fallocate];

test(
  'no request, however wrong, makes the server throw or hang',
  { skip: lacks('root', 'linux') },
  () => {
    const directory = mkdtempSync('/tmp/faultline-fuse-fuzz-');
    const rootFd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    const logFd = openSync('/dev/null', 'r+');
    try {
      writeFileSync(`${directory}/file`, 'x');
      const memory = openMemory(createShared({ nodes: 1024, files: 4096 }));
      const options = { rootFd, logFd, timeoutSeconds: 1, isExclusive: true, directories: 8 };
      const engine = new Engine(memory, options);
      assert.equal(engine.statDescriptor(rootFd), 0);
      new NodeTable(memory).start(engine.device, engine.inoLow, engine.inoHigh);
      const opcodes = Object.values(OPCODES).filter((opcode) => !EXPENSIVE.includes(opcode));
      const random = new Random(SEED);
      const open = readdirSync('/proc/self/fd').length;
      let answered = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const body = random.below(10) === 0 ? random.below(5000) : random.below(120);
        const length = 40 + body;
        for (let at = 40; at < length; at++) {
          engine.input[at] = random.below(3) === 0 ? random.below(256) : random.pick([0, 0, 97, 1]);
        }
        engine.input[length] = random.below(256);
        engine.inputView.setUint32(0, random.below(20) === 0 ? random.next() : length, true);
        engine.inputView.setUint32(
          4,
          random.below(20) === 0 ? random.next() : random.pick(opcodes),
          true,
        );
        engine.inputView.setUint32(16, random.below(4), true);
        engine.inputView.setUint32(20, 0, true);
        engine.inputView.setUint32(24, 0, true);
        engine.inputView.setUint32(28, 0, true);
        engine.inputView.setUint32(36, random.below(10) === 0 ? random.below(9) : 0, true);
        if (!engine.load(length)) continue;
        const result = serve(engine);
        answered++;
        assert.ok(
          Number.isInteger(result) && result >= NO_REPLY && result <= 1 << 20,
          `round ${round}: ${result}`,
        );
        assert.ok(result > -512 || result === NO_REPLY, `round ${round}: ${result}`);
      }
      assert.ok(answered > ROUNDS / 2);
      engine.directories.clear();
      // Files it was asked to open stay open, as a kernel that never releases them would have it.
      assert.ok(readdirSync('/proc/self/fd').length - open < ROUNDS);
    } finally {
      closeSync(rootFd);
      closeSync(logFd);
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
