import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/base/failure.ts';
import { exec } from '../exec.ts';
import { lastLines } from './node-namespace.ts';
import { INSIDE, nodeDirectory, type LabPlace } from './place.ts';
import { MARK } from './processes.ts';
import type { LabNode } from './record.ts';
import { askInit } from './requests.ts';

/** sshd refuses to start by another name than its full path, sshd(8). */
const SSHD = '/usr/sbin/sshd';
const PORT = 22;
/** Root's home for whoever comes by ssh: below the node's own /var/lib. */
const HOME = '/var/lib/root';
const READY_TIMEOUT_MS = 15_000;

/** A lab's own key pair: made with it, gone with it. */
const keyFile = (place: LabPlace): string => join(place.directory, 'ssh', 'key');

/** Where `lab up --ssh` leaves ducktape's description of the nodes. */
export const ducktapeFile = (place: LabPlace): string => join(place.directory, 'cluster.json');

/** @throws Failure 'ssh-missing' with the remedy. */
export function requireSsh(): void {
  const keygen = (process.env['PATH'] ?? '')
    .split(':')
    .some((directory) => existsSync(join(directory, 'ssh-keygen')));
  if (existsSync(SSHD) && keygen) return;
  const missing = existsSync(SSHD) ? 'ssh-keygen' : SSHD;
  const message = `no ${missing} here; './run setup --ssh' installs it and starts nothing`;
  throw new Failure('ssh-missing', message, { definite: true });
}

/** sshd_config(5) of a node: root by the lab's key alone, on the node's address alone. */
function sshdConfig(place: LabPlace, node: LabNode): string {
  const etc = `${INSIDE.node}/etc`;
  const { checkout } = INSIDE;
  const usual = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const path = [checkout, `${checkout}/lab`, ...usual];
  const lines = [
    `ListenAddress ${node.address}:${PORT}`,
    `HostKey ${etc}/ssh_host_key`,
    `AuthorizedKeysFile ${etc}/authorized_keys`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'UseDNS no',
    'PidFile none',
    'PrintMotd no',
    // A test opens a session for every command that runs beside the others.
    'MaxSessions 200',
    'MaxStartups 200',
    'Subsystem sftp internal-sftp',
    // Whoever comes by ssh finds faultline and node-ctl, and what is left of it is known as the lab's.
    // This machine's start-up files of a shell are not the node's: it has a home of its own.
    `SetEnv ${MARK}=${place.directory} HOME=${HOME} PATH=${path.join(':')}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** /etc/shadow of a node: sshd lets nobody in whose password is locked ('!'), not even by key. */
function shadow(): string {
  const lines = readFileSync('/etc/shadow', 'utf8').split('\n');
  return lines.map((line) => line.replace(/^root:[^:]*:/, 'root:*:')).join('\n');
}

const keygen = (file: string, comment: string): Promise<unknown> =>
  exec(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);

/** The lab's key, and what the sshd of every node needs (service 'sshd' of lab/node-init.sh). */
export async function writeSshFiles(place: LabPlace, nodes: readonly LabNode[]): Promise<void> {
  mkdirSync(dirname(keyFile(place)), { mode: 0o700 });
  await keygen(keyFile(place), `lab-${place.name}`);
  for (const node of nodes) {
    const directory = nodeDirectory(place, node.name);
    const etc = join(directory, 'etc');
    mkdirSync(join(directory, 'var-lib', 'root'), { mode: 0o700 });
    await keygen(join(etc, 'ssh_host_key'), node.name);
    copyFileSync(`${keyFile(place)}.pub`, join(etc, 'authorized_keys'));
    writeFileSync(join(etc, 'sshd_config'), sshdConfig(place, node));
    writeFileSync(join(etc, 'shadow'), shadow(), { mode: 0o640 });
    const argv = [SSHD, '-D', '-e', '-f', `${INSIDE.node}/etc/sshd_config`];
    writeFileSync(join(etc, 'sshd.argv'), `${argv.join('\n')}\n`);
    writeFileSync(join(etc, 'sshd.keep'), '');
  }
}

/** Whether somebody accepts connections there. */
function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const done = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', done(true));
    socket.on('error', done(false));
    socket.on('timeout', done(false));
  });
}

/**
 * Starts the sshd of every node, and writes cluster.json once all of them answer.
 * @throws Failure 'sshd-not-started' with the last lines it logged.
 */
export async function startSsh(place: LabPlace, nodes: readonly LabNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => askInit(place, node.name, 'start', 'sshd')));
  const until = performance.now() + READY_TIMEOUT_MS;
  for (const node of nodes) {
    while (!(await accepts(node.address, PORT))) {
      if (performance.now() > until) {
        const log = join(nodeDirectory(place, node.name), 'log', 'sshd.out');
        const message = `the sshd of ${node.name} did not start:\n${lastLines(log)}`;
        throw new Failure('sshd-not-started', message, { definite: false });
      }
      await sleep(20);
    }
  }
  writeFileSync(ducktapeFile(place), ducktapeCluster(place, nodes));
}

/** The nodes as ducktape's JsonCluster reads them. */
function ducktapeCluster(place: LabPlace, nodes: readonly LabNode[]): string {
  const described = nodes.map((node) => ({
    externally_routable_ip: node.address,
    ssh_config: {
      host: node.name,
      hostname: node.address,
      user: 'root',
      port: PORT,
      identityfile: keyFile(place),
      password: null,
    },
  }));
  return `${JSON.stringify({ nodes: described }, null, 2)}\n`;
}
