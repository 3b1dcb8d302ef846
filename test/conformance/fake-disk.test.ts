import { FakeLinux } from '../support/fake-linux.ts';
import { diskSuite, type DiskBench } from './disk-suite.ts';

async function open(): Promise<DiskBench> {
  const linux = new FakeLinux();
  const mountPoint = '/srv/disk';
  linux.disk.mount(mountPoint);
  return {
    linux,
    mountPoint,
    killFileSystem: async () => linux.disk.kill(mountPoint),
    writer: async () => linux.addProcess(['/bin/writer']),
    use: async () => undefined,
    pass: async (ms) => linux.advance(ms),
    close: async () => undefined,
  };
}

diskSuite('in memory', open);
