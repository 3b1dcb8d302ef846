import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { LabDescription } from '../../src/host/lab/describe.ts';
import { takeDown } from '../../src/host/lab/down.ts';
import { markedProcesses } from '../../src/host/lab/processes.ts';
import { bringUp } from '../../src/host/lab/up.ts';
import { testLabName } from '../support/lab.ts';
import { leakedSince, leftovers, type Leftovers } from '../support/leaks.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { until } from '../support/until.ts';

interface DucktapeNode {
  externally_routable_ip: string;
  ssh_config: { host: string; hostname: string; user: string; port: number; identityfile: string };
}

describe('a bare lab with ssh', { skip: lacks('root', 'namespaces', 'ssh') }, () => {
  const name = testLabName('bare');
  let clean: Leftovers;
  let lab: LabDescription;
  let nodes: DucktapeNode[];

  before(async () => {
    clean = leftovers();
    const none = { brokers: 0, agents: false, coordinator: false };
    lab = await bringUp({
      ...none,
      name,
      clients: 2,
      bare: true,
      ssh: true,
      root: ROOT,
      say: () => undefined,
    });
    const file = readFileSync(lab.ducktapeFile ?? '', 'utf8');
    nodes = (JSON.parse(file) as { nodes: DucktapeNode[] }).nodes;
  });
  after(() => takeDown(name));

  function ssh(node: DucktapeNode | undefined, command: string, ...options: string[]) {
    assert.ok(node);
    const { user, hostname, port, identityfile } = node.ssh_config;
    const quiet = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR'];
    const flags = [...quiet, 'BatchMode=yes', ...options].flatMap((option) => ['-o', option]);
    const argv = ['-i', identityfile, '-p', String(port), ...flags, `${user}@${hostname}`, command];
    return spawnSync('ssh', argv, { encoding: 'utf8' });
  }

  test('nodes run nothing but their sshd', () => {
    assert.deepEqual(
      nodes.map((node) => [node.ssh_config.host, node.externally_routable_ip]),
      lab.nodes.map((node) => [node.name, node.address]),
    );
    for (const node of nodes) {
      assert.equal(ssh(node, 'hostname').stdout.trim(), node.ssh_config.host);
      assert.match(
        ssh(node, 'getent ahostsv4 n2').stdout,
        new RegExp(`^${lab.nodes[1]?.address} `),
      );
      assert.equal(ssh(node, 'pgrep -c java').stdout.trim(), '0');
    }
    assert.match(ssh(nodes[0], 'faultline --version').stdout, /\d+\.\d+/);
  });

  test('a node sees no control groups but its own, covered or not: JMX of its JVMs needs that', () => {
    const mounts = ssh(nodes[0], 'cat /proc/self/mountinfo').stdout.split('\n');
    const roots = mounts
      .filter((line) => line.includes(' - cgroup'))
      .map((line) => line.split(' ')[3]);
    assert.ok(
      roots.every((root) => root === '/'),
      roots.join(' '),
    );
  });

  test('only the key of the lab opens a node, and only on its own network', () => {
    const [node] = nodes;
    assert.ok(node);
    assert.equal(statSync(node.ssh_config.identityfile).mode & 0o777, 0o600);
    const refused = ssh(node, 'true', 'IdentityFile=none', 'PubkeyAuthentication=no');
    assert.equal(refused.status, 255);
    assert.match(refused.stderr, /Permission denied/);
    assert.match(ssh(node, 'ss -Hltn').stdout, new RegExp(`${node.ssh_config.hostname}:22 `));
    assert.doesNotMatch(ssh(node, 'ss -Hltn').stdout, /0\.0\.0\.0:22|\[::\]:22|127\.0\.0\.1:22/);
  });

  test('what was left running by ssh goes with the lab, and nothing of it stays', async () => {
    ssh(nodes[0], 'nohup setsid sleep 86399 >/dev/null 2>&1 &');
    const { directory } = lab;
    const left = (): number[] =>
      markedProcesses(directory).filter((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('86399'),
      );
    await until('the sleep', () => left().length > 0);
    const [pid] = left();
    assert.ok(await takeDown(name));
    assert.ok(!existsSync(`/proc/${pid}`));
    assert.ok(!existsSync(directory));
    assert.deepEqual(
      leakedSince(clean, (line) => line.includes(name)),
      [],
    );
  });
});
