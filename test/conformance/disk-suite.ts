import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Failure } from '../../src/core/base/failure.ts';
import type { DiskAct } from '../../src/core/model/act-disk.ts';
import type { ProcessRef } from '../../src/core/model/process-match.ts';
import type { Linux } from '../../src/host/linux/linux.ts';

/** A machine with one mount of ours. Everything is made anew for every test, and closed after it. */
export interface DiskBench {
  linux: Linux;
  mountPoint: string;
  /** Kills the file-system process. */
  killFileSystem(): Promise<void>;
  /** Writes to a file of the mount. */
  use(): Promise<void>;
  /** Starts a process that has written to a file of the mount, and synced nothing. */
  writer(): Promise<ProcessRef>;
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

const TOKEN = 'faultline-suite5';

function faultAt(mountPoint: string, leaseMs = 30_000): Extract<DiskAct, { act: 'disk.fault' }> {
  return {
    act: 'disk.fault',
    token: TOKEN,
    faultId: 'suite-5',
    mountPoint,
    entry: { match: { op: ['write'] }, fault: { kind: 'delay', latency: { fixed: '1ms' } } },
    seed: 7,
    leaseMs,
  };
}

async function fails(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof Failure && error.code === code);
}

/** What real and pretended disks promise alike. */
export function diskSuite(
  name: string,
  open: () => Promise<DiskBench>,
  skip: string | false = false,
): void {
  const onBench = (title: string, body: (bench: DiskBench) => Promise<void>): void => {
    test(title, async () => {
      const bench = await open();
      try {
        await body(bench);
      } finally {
        await bench.close();
      }
    });
  };

  suite(`disk: ${name}`, { skip }, () => {
    onBench('a fault is set, hit, found and removed, once or twice', async (bench) => {
      const { linux, mountPoint } = bench;
      const fault = faultAt(mountPoint);
      const at = { token: TOKEN, mountPoint };
      const remove: DiskAct = { act: 'disk.fault.remove', ...at };
      const { mounts } = await linux.ask({ query: 'diskMounts' });
      const ours = mounts.find((mount) => mount.mountPoint === mountPoint);
      assert.equal(ours?.alive, true);
      assert.equal(await linux.holds(fault), false);
      await linux.perform(remove);
      await linux.perform(fault);
      await linux.perform(fault);
      assert.equal(await linux.holds(fault), true);
      assert.equal(await linux.holds(remove), false);
      await bench.use();
      const { inForce, hits } = await linux.ask({ query: 'diskFault', ...at });
      assert.equal(inForce, true);
      assert.ok(hits > 0);
      await linux.perform({ act: 'disk.fault.renew', ...at, leaseMs: 30_000 });
      assert.ok((await linux.ask({ query: 'diskFault', ...at })).hits >= hits);
      const found = (await linux.leftovers()).filter((one) => one.faultId === 'suite-5');
      assert.deepEqual(
        found.map((one) => one.remove),
        [remove],
      );
      await linux.perform(remove);
      await linux.perform(remove);
      assert.equal(await linux.holds(fault), false);
      const ended = await linux.ask({ query: 'diskFault', ...at });
      assert.equal(ended.inForce, false);
      assert.ok(ended.hits >= hits, 'what it came to is known after its end');
      await bench.use();
      assert.deepEqual(await linux.ask({ query: 'diskFault', ...at }), ended);
    });

    onBench('a fault that nobody renews ends by itself, and is not revived', async (bench) => {
      const { linux, mountPoint } = bench;
      const fault = faultAt(mountPoint, 1_500);
      const renew: DiskAct = {
        act: 'disk.fault.renew',
        token: TOKEN,
        mountPoint,
        leaseMs: 1_500,
      };
      await linux.perform(fault);
      await bench.pass(900);
      await linux.perform(renew);
      await bench.pass(900);
      assert.equal(await linux.holds(fault), true);
      await bench.pass(1_000);
      assert.equal(await linux.holds(fault), false);
      await fails('expired', linux.perform(renew));
      await linux.perform({ act: 'disk.fault.remove', token: TOKEN, mountPoint });
    });

    onBench('its deadline comes whoever renews it', async (bench) => {
      const { linux, mountPoint } = bench;
      const fault = { ...faultAt(mountPoint), deadlineMs: 1_000 };
      await linux.perform(fault);
      await linux.perform({
        act: 'disk.fault.renew',
        token: TOKEN,
        mountPoint,
        leaseMs: 60_000,
      });
      await bench.pass(1_300);
      assert.equal(await linux.holds(fault), false);
    });

    onBench('a power cut loses what a dead process had not synced, once', async (bench) => {
      const { linux, mountPoint } = bench;
      const process = await bench.writer();
      const query = { query: 'diskPowerCut' as const, token: TOKEN };
      const cut: DiskAct = {
        act: 'disk.powercut',
        token: TOKEN,
        mountPoint,
        loss: 'all',
        seed: 7,
        processes: [process],
      };
      assert.equal(await linux.holds(cut), false);
      assert.equal((await linux.ask(query)).mounts, 0);
      await fails('process-alive', linux.perform(cut));
      await linux.perform({ act: 'process.signal', processes: [process], signal: 'SIGKILL' });
      await linux.perform(cut);
      assert.equal(await linux.holds(cut), true);
      const lost = await linux.ask(query);
      assert.equal(lost.mounts, 1);
      assert.ok(lost.files + lost.names > 0);
      await bench.use();
      await linux.perform(cut);
      assert.deepEqual(await linux.ask(query), lost);
    });

    onBench('what the file system would not take is refused', async ({ linux, mountPoint }) => {
      const elsewhere = faultAt(`${mountPoint}-not`);
      await fails('not-mounted', linux.perform(elsewhere));
      await linux.perform({
        act: 'disk.fault.remove',
        token: TOKEN,
        mountPoint: elsewhere.mountPoint,
      });
    });

    onBench('a dead process: noticed, its mount detached, undone in peace', async (bench) => {
      const { linux, mountPoint } = bench;
      const at = { token: TOKEN, mountPoint };
      const unmount: DiskAct = { act: 'disk.unmount', mountPoint };
      await linux.perform(faultAt(mountPoint));
      await linux.perform(unmount);
      assert.equal(await linux.holds(unmount), false, 'one that lives is left alone');
      await bench.killFileSystem();
      assert.equal(await linux.holds(faultAt(mountPoint)), false);
      const { mounts } = await linux.ask({ query: 'diskMounts' });
      assert.equal(mounts.find((mount) => mount.mountPoint === mountPoint)?.alive, false);
      const removes = (await linux.leftovers()).map((one) => one.remove);
      assert.deepEqual(
        removes.filter((act) => act.act === 'disk.unmount' && act.mountPoint === mountPoint),
        [unmount],
      );
      await fails('gone', linux.perform({ act: 'disk.fault.renew', ...at, leaseMs: 30_000 }));
      assert.equal(await linux.holds(unmount), true);
      await linux.perform(unmount);
      await linux.perform({ act: 'disk.fault.remove', ...at });
    });
  });
}
