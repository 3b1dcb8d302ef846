import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parseCgroups } from '../../../src/core/codec/cgroup.ts';

suite('control group hierarchies', () => {
  test('version 1, one a controller, and a version 2 beside it', () => {
    const mountinfo = [
      '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
      '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
      '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory',
      '40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
      '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
    ].join('\n');
    const own =
      '9:name=systemd:/a.slice\n4:memory:/some/where\n1:cpu,cpuacct:/\n0::/a.slice/x:y.service\n';
    assert.deepEqual(
      parseCgroups(mountinfo, own).map(({ version, controllers, own: at }) => [
        version,
        controllers.join(' '),
        at,
      ]),
      [
        [1, 'cpu cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
        [1, 'memory', '/sys/fs/cgroup/memory/some/where'],
        [1, 'name=systemd', '/sys/fs/cgroup/systemd/a.slice'],
        [2, '', '/sys/fs/cgroup/unified/a.slice/x:y.service'],
      ],
    );
  });

  test('of two mounts at one place the later one is seen', () => {
    const covered = '35 31 0:32 /../.. /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n';
    const mountinfo = `${covered}99 98 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory`;
    const own = parseCgroups(mountinfo, '4:memory:/agent').map((each) => each.own);
    assert.deepEqual(own, ['/sys/fs/cgroup/memory/agent']);
  });

  test('a mount that shows a part, and a path with a space', () => {
    const mountinfo = '50 40 0:26 /pod/one /my\\040groups rw - cgroup2 cgroup2 rw,nsdelegate';
    assert.equal(parseCgroups(mountinfo, '0::/pod/one/agent')[0]?.own, '/my groups/agent');
    assert.equal(parseCgroups(mountinfo, '0::/pod/one')[0]?.own, '/my groups');
    assert.equal(parseCgroups(mountinfo, '0::/elsewhere')[0]?.own, '/my groups');
  });
});
