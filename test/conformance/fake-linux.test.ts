import { FakeLinux } from '../support/fake-linux.ts';
import { linuxSuite, SERVICE, type Bench } from './linux-suite.ts';
import { packetsSuite } from './packets-suite.ts';
import { redirectsSuite } from './redirects-suite.ts';
import { shapingSuite } from './shaping-suite.ts';
import { netfilterSuite } from './netfilter-suite.ts';

const open = async (): Promise<Bench> => {
  const linux = new FakeLinux();
  linux.addService(SERVICE.name, ['/bin/sleep', SERVICE.mark], { slow: true });
  return {
    linux,
    victim: async (mark) => linux.addProcess(['/bin/sleep', mark]),
    pass: async (ms) => linux.advance(ms),
    forbiddenPart: '/sbin/init',
    close: async () => {},
  };
};

linuxSuite('in memory', open);
netfilterSuite('in memory', open);
packetsSuite('in memory', open);
redirectsSuite('in memory', open);
shapingSuite('in memory', open, '198.51.100.2');
