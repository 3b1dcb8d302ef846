import { FakeLinux } from '../support/fake-linux.ts';
import { linuxSuite, SERVICE } from './linux-suite.ts';

linuxSuite('in memory', async () => {
  const linux = new FakeLinux();
  linux.addService(SERVICE.name, ['/bin/sleep', SERVICE.mark]);
  return {
    linux,
    victim: async (mark) => linux.addProcess(['/bin/sleep', mark]),
    pass: async (ms) => linux.advance(ms),
    forbiddenPart: '/sbin/init',
    close: async () => {},
  };
});
