import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, statSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open as openFile, readFile, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Step } from '../../src/core/model/fault.ts';
import type { Answer } from '../../src/core/model/query.ts';
import { seeProcess } from '../../src/host/linux/processes.ts';
import { RealLinux } from '../../src/host/linux/real-linux.ts';
import { CASES, hereOf } from '../conformance/cases.ts';
import { diskSuite, type DiskBench } from '../conformance/disk-suite.ts';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

async function open(): Promise<DiskBench> {
  const scratchDir = mkdtempSync(join(tmpdir(), 'faultline-disk-suite-'));
  const mount = await DiskMount.start({
    overItself: true,
    options: { trackUnsynced: true },
  });
  const children: ChildProcess[] = [];
  return {
    linux: new RealLinux({ services: {}, scratchDir }),
    mountPoint: mount.path,
    async killFileSystem() {
      mount.process.kill('SIGKILL');
      await until('it is dead', () => mount.process.signalCode !== null);
    },

    use: async () => writeFileSync(mount.file('used'), 'used'),
    async writer() {
      const file = mount.file('unsynced');
      const script = 'printf something > "$0"; read -r';
      const child = spawn('/bin/bash', ['-c', script, file], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      children.push(child);
      await until('it has written', () => existsSync(file) && statSync(file).size > 0);
      const seen = seeProcess(child.pid ?? 0);
      if (seen === undefined) throw new Error('the writer is gone');
      return seen.ref;
    },
    pass: (ms) => sleep(ms),
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await mount[Symbol.asyncDispose]();
      rmSync(scratchDir, { recursive: true });
    },
  };
}

diskSuite('a real kernel', open, lacks('root', 'fuse'));

/** What a broker does to its files, none of it waiting for another; errors are what faults make. */
function useAsBrokersDo(mount: DiskMount, round: number): Promise<unknown> {
  const log = mount.file('orders-0', '00000000000000000000.log');
  const appendAndSync = async (): Promise<void> => {
    const file = await openFile(log, 'a');
    try {
      await file.write(Buffer.alloc(9000, 1));
      await file.sync();
    } finally {
      await file.close();
    }
  };
  return Promise.allSettled([
    appendAndSync(),
    readFile(log),
    writeFile(mount.file('orders-0', `leader-epoch-checkpoint.${round}`), 'new'),
    statfs(mount.path),
  ]);
}

/** The kinds that need a mount alone: a power cut needs processes to kill, too. */
const STANDING = CASES.filter(({ kind }) =>
  kind.needs.every((set) => String(set) === 'disk.mount'),
);

suite('every disk kind on a real mount', { skip: lacks('root', 'fuse') }, () => {
  const scratchDir = mkdtempSync(join(tmpdir(), 'faultline-disk-kinds-'));
  const linux = new RealLinux({ services: {}, scratchDir });
  let mount: DiskMount;
  let rounds = 0;

  before(async () => {
    mount = await DiskMount.start({ overItself: true });
    mkdirSync(mount.file('orders-0'));
    await useAsBrokersDo(mount, rounds);
  });
  after(async () => {
    await mount[Symbol.asyncDispose]();
    rmSync(scratchDir, { recursive: true });
  });

  for (const each of STANDING) {
    test(`${each.name}: in force, hit, and gone`, async () => {
      const here = hereOf(each, 'n1');
      const params = { ...each.params, directory: mount.path };
      const facts: Answer[] = [];
      for (const query of each.kind.observe(params, here)) facts.push(await linux.ask(query));
      const steps = each.kind.plan(params, here, facts) as Step[];
      const witness = each.kind.witness(params, here, facts);
      assert.ok('sample' in witness);
      const before = await linux.ask(witness.sample);
      const uses: Promise<unknown>[] = [];
      for (const step of steps) await linux.perform(step.act);
      try {
        for (const step of steps) assert.equal(await linux.holds(step.act), true);
        await until(`${each.name} hits`, async () => {
          uses.push(useAsBrokersDo(mount, rounds++));
          return witness.seen(before, await linux.ask(witness.sample));
        });
      } finally {
        for (const step of steps) {
          if ('act' in step.undo) await linux.perform(step.undo);
        }
      }
      for (const step of steps) assert.equal(await linux.holds(step.act), false);
      // What was held goes on now.
      await Promise.all(uses);
      await writeFile(mount.file('after'), 'all is well');
      assert.equal(await readFile(mount.file('after'), 'utf8'), 'all is well');
    });
  }
});
