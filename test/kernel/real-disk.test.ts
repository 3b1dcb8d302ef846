import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RealLinux } from '../../src/host/linux/real-linux.ts';
import { diskSuite, type DiskBench } from '../conformance/disk-suite.ts';
import { DiskMount } from '../support/disk-mount.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

async function open(): Promise<DiskBench> {
  const scratchDir = mkdtempSync(join(tmpdir(), 'faultline-disk-suite-'));
  const mount = await DiskMount.start({ overItself: true });
  return {
    linux: new RealLinux({ services: {}, scratchDir }),
    mountPoint: mount.path,
    async killFileSystem() {
      mount.process.kill('SIGKILL');
      await until('it is dead', () => mount.process.signalCode !== null);
    },

    use: async () => writeFileSync(mount.file('used'), 'used'),
    pass: (ms) => sleep(ms),
    async close() {
      await mount[Symbol.asyncDispose]();
      rmSync(scratchDir, { recursive: true });
    },
  };
}

diskSuite('a real kernel', open, lacks('root', 'fuse'));
