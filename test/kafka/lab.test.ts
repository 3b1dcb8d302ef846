import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { LabDescription } from '../../src/host/lab/describe.ts';
import { takeDown } from '../../src/host/lab/down.ts';
import { viewOf } from '../../src/host/lab/health.ts';
import { placeOf } from '../../src/host/lab/place.ts';
import { birthTicks } from '../../src/host/boot-clock.ts';
import { markedProcesses } from '../../src/host/lab/processes.ts';
import { askInit } from '../../src/host/lab/requests.ts';
import { labStatus } from '../../src/host/lab/status.ts';
import { bringUp } from '../../src/host/lab/up.ts';
import { testLabName, withLab } from '../support/lab.ts';
import { leakedSince, leftovers } from '../support/leaks.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { until } from '../support/until.ts';

const NAMESPACES = ['net', 'mnt', 'pid', 'uts', 'ipc', 'cgroup'];
const quiet = { agents: false, coordinator: false, root: ROOT, say: (): void => undefined };

type LabNode = LabDescription['nodes'][number];

function initOf(node: LabNode | undefined): number {
  assert.ok(node?.initPid, 'the node has an init');
  return node.initPid;
}

/** Runs a program inside a node and returns what it printed. */
function inside(node: LabNode | undefined, ...argv: string[]): string {
  return execFileSync('nsenter', ['-t', String(initOf(node)), '-a', '-r', ...argv], {
    encoding: 'utf8',
  });
}

/** Lines of leftovers that a lab could have made. */
const ofLabs = (line: string): boolean => /faultline|fllab|^-?(nft|iptables|ip6tables) /.test(line);

const first = withLabTests();

function withLabTests(): string {
  const name = testLabName('lab');
  withLab({ ...quiet, name, brokers: 3 }, (lab) => {
    test('every node has namespaces of its own', () => {
      const own = NAMESPACES.map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
      const all = lab().nodes.map((node) =>
        NAMESPACES.map((kind) => readlinkSync(`/proc/${initOf(node)}/ns/${kind}`)),
      );
      const flat = [...own, ...all.flat()];
      assert.equal(flat.length, NAMESPACES.length * 5);
      assert.equal(new Set(flat).size, flat.length, flat.join(' '));
    });

    test('a node sees its own processes, name, address and files only', () => {
      const [n1, n2] = lab().nodes;
      assert.equal(inside(n1, 'hostname').trim(), 'n1');
      assert.equal(inside(n1, 'pgrep', '-c', 'java').trim(), '1');
      assert.match(inside(n1, 'ip', '-br', 'addr'), new RegExp(`eth0.*${n1?.address}/24`));
      assert.deepEqual(inside(n1, 'ls', '/sys/class/net').trim().split('\n'), ['eth0', 'lo']);
      for (const place of ['/tmp', '/var/lib', '/mnt', '/run']) {
        inside(n1, 'touch', `${place}/made-in-n1`);
        assert.equal(inside(n1, 'ls', `${place}/made-in-n1`).trim(), `${place}/made-in-n1`);
        assert.ok(!inside(n2, 'ls', place).includes('made-in-n1'), place);
        assert.ok(!existsSync(`${place}/made-in-n1`), place);
      }
    });

    test('the brokers see one another, and this machine sees them', async () => {
      for (const node of lab().nodes.filter((one) => one.roles.includes('broker'))) {
        assert.deepEqual((await viewOf(node.address, 9092)).registered, [1, 2, 3]);
      }
      assert.ok(existsSync(join(lab().nodes[0]?.dataDirectory ?? '', 'data', 'meta.properties')));
    });

    test('the init starts a killed broker when asked, and not before', async () => {
      const [n1] = lab().nodes;
      const ctl = '/run/faultline-lab/checkout/lab/node-ctl';
      assert.match(inside(n1, ctl, 'kill', 'broker'), /^ok: sent SIGKILL/);
      assert.throws(() => inside(n1, 'pgrep', 'java'), 'nothing brings it back by itself');
      assert.equal((await labStatus(name)).nodes[0]?.health.broker, 'ended 137');
      assert.match(inside(n1, ctl, 'start', 'broker'), /^ok: started/);
      assert.match(inside(n1, ctl, 'start', 'broker'), /^ok: running already/);
      await until(
        'n1 is registered again',
        async () => (await labStatus(name)).nodes[0]?.health.registered,
        { timeoutMs: 60_000, everyMs: 200 },
      );
      assert.throws(() => inside(n1, ctl, 'start', 'sshd'), /no service 'sshd'/);
    });

    test('a second lab runs beside it', async () => {
      const beside = testLabName('beside');
      let address = '';
      try {
        const second = await bringUp({ ...quiet, name: beside, brokers: 1, clients: 0 });
        assert.notEqual(second.hostAddress, lab().hostAddress);
        address = second.nodes[0]?.address ?? '';
        assert.deepEqual((await viewOf(address, 9092)).registered, [1]);
        await assert.rejects(bringUp({ ...quiet, name: beside, brokers: 1, clients: 0 }), {
          code: 'lab-exists',
        });
      } finally {
        await takeDown(beside);
      }
      assert.deepEqual((await viewOf(lab().nodes[1]?.address ?? '', 9092)).registered, [1, 2, 3]);
      await assert.rejects(viewOf(address, 9092, 500));
    });

    test('killing the init of a node leaves nothing of it', async () => {
      const n3 = lab().nodes[2];
      const pid = initOf(n3);
      const net = readlinkSync(`/proc/${pid}/ns/net`);
      const directory = placeOf(name).directory;
      const before = markedProcesses(directory).length;
      process.kill(pid, 'SIGKILL');
      // unshare, init, file system, broker
      await until('its processes are gone', () => markedProcesses(directory).length === before - 4);
      await until('its network namespace is gone', () => {
        const left = execFileSync('lsns', ['-n', '-o', 'NS', '-t', 'net'], { encoding: 'utf8' });
        return !left.includes(net.replace(/\D/g, ''));
      });
      const ports = [
        '--net=' + placeOf(name).switchFile,
        'ip',
        '-br',
        'link',
        'show',
        'master',
        'br0',
      ];
      await until('its cable is gone', () => {
        return execFileSync('nsenter', ports, { encoding: 'utf8' }).trim().split('\n').length === 4;
      });
      assert.equal((await labStatus(name)).nodes[2]?.health.init, false);
      await assert.rejects(askInit(placeOf(name), 'n3', 'start', 'broker'), { code: 'node-dead' });
    });
  });
  return name;
}

describe('down leaves nothing', { skip: lacks('root', 'namespaces', 'java', 'kafka-jars') }, () => {
  test('of the lab above', async () => {
    assert.ok(!existsSync(placeOf(first).directory));
    assert.deepEqual(markedProcesses(placeOf(first).directory), []);
    assert.equal(await takeDown(first), false);
  });

  // Where `lab up` is killed: when the first of these files is there.
  const moments = [
    'lab.json',
    'switch.net',
    'token',
    'nodes/n1/state/init',
    'nodes/n1/state/broker',
  ];
  for (const moment of moments) {
    test(`of a lab whose 'up' was killed at ${moment}`, async () => {
      const name = testLabName('killed');
      const { directory } = placeOf(name);
      const before = leftovers();
      const argv = [
        'src/bin/faultline.ts',
        'lab',
        'up',
        '--name',
        name,
        '--brokers',
        '2',
        '--no-agents',
        '--no-coordinator',
      ];
      const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: 'ignore' });
      try {
        await until(moment, () => existsSync(join(directory, moment)), { everyMs: 1 });
        child.kill('SIGKILL');
        await until('it is dead', () => birthTicks(child.pid ?? 0) === undefined);
      } finally {
        await takeDown(name);
      }
      assert.deepEqual(markedProcesses(directory), []);
      // The kernel takes a moment for the links of a namespace that has ended.
      await until('nothing is left', () => leakedSince(before, ofLabs).length === 0).catch(() => {
        assert.deepEqual(leakedSince(before, ofLabs), []);
      });
    });
  }

  test('of a lab that was interrupted: up takes it down itself', async () => {
    const name = testLabName('interrupted');
    const { directory } = placeOf(name);
    const before = leftovers();
    const interrupted = new AbortController();
    const up = bringUp({ ...quiet, name, brokers: 1, clients: 0, signal: interrupted.signal });
    await until('a node', () => existsSync(join(directory, 'nodes/n1/state/broker')));
    interrupted.abort(new Error('interrupted'));
    await assert.rejects(up, /interrupted/);
    assert.ok(!existsSync(directory));
    await until('nothing is left', () => leakedSince(before, ofLabs).length === 0);
  });

  test('of a dead lab that the next up finds', async () => {
    const name = testLabName('remnant');
    const said: string[] = [];
    const options = {
      ...quiet,
      name,
      brokers: 1,
      clients: 0,
      say: (line: string) => said.push(line),
    };
    try {
      const dead = await bringUp(options);
      process.kill(initOf(dead.nodes[0]), 'SIGKILL');
      await until('all is dead', () => markedProcesses(placeOf(name).directory).length === 0);
      const id = (): string => readFileSync(placeOf(name).recordFile, 'utf8');
      const deadId = id();
      await bringUp(options);
      assert.ok(
        said.some((line) => line.includes('dead lab')),
        said.join('\n'),
      );
      assert.notEqual(id(), deadId);
    } finally {
      await takeDown(name);
    }
  });
});
