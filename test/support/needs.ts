import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { trogdorJarsPresent } from './trogdor/jars.ts';
import { findJava, kafkaJarsPresent } from '../../src/host/lab/kafka-cache.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

/** What ./run makes for the tests of the Python package: ducktape, pytest and mypy, all pinned. */
export const VENV = join(process.env['FAULTLINE_CACHE'] ?? join(ROOT, '.cache'), 'python', 'venv');

const onPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((place) => existsSync(join(place, program)));

const works = (argv: readonly [string, ...string[]]): boolean =>
  spawnSync(argv[0], argv.slice(1), { stdio: 'ignore' }).status === 0;

const iptables = (program: string): string | undefined =>
  works(['unshare', '--net', program, '-A', 'INPUT', '-j', 'ACCEPT'])
    ? undefined
    : `${program} cannot make a rule here`;

const qdisc = (kind: string): string | undefined =>
  works([
    'unshare',
    '--net',
    'sh',
    '-c',
    `ip link add fl0 type veth peer name fl1 && tc qdisc add dev fl0 root handle 1: ${kind}`,
  ])
    ? undefined
    : `the kernel has no qdisc ${kind}`;

const CHROMIUMS = ['chromium', 'chromium-browser', 'google-chrome'];

/** What a test may need of the machine: undefined where it is there, else why it is not. */
const PROBES = {
  root: () => (process.getuid?.() === 0 ? undefined : 'not running as root'),
  linux: () => (process.platform === 'linux' ? undefined : `this is ${process.platform}`),
  namespaces: () =>
    works(['unshare', '--net', '--mount', '--pid', '--fork', 'true'])
      ? undefined
      : 'unshare cannot make namespaces here',
  cgroups: () =>
    works([
      'sh',
      '-c',
      'set -e; for at in /sys/fs/cgroup /sys/fs/cgroup/memory; do ' +
        '[ -e $at/cgroup.procs ] || continue; mkdir $at/faultline-need && rmdir $at/faultline-need; exit 0; ' +
        'done; exit 1',
    ])
      ? undefined
      : 'no control group can be made here',
  nft: () =>
    works(['unshare', '--net', 'nft', 'add', 'table', 'inet', 'probe'])
      ? undefined
      : 'nft cannot make a table here',
  ipset: () =>
    works(['unshare', '--net', 'ipset', 'create', 'probe', 'hash:ip', 'timeout', '9'])
      ? undefined
      : 'ipset cannot make a set here',
  'iptables-nft': () => iptables('iptables-nft'),
  'iptables-legacy': () => iptables('iptables-legacy'),
  htb: () => qdisc('htb'),
  netem: () => qdisc('netem'),
  nfqueue: () =>
    works(['unshare', '--net', 'test', '-e', '/proc/self/net/netfilter/nfnetlink_queue'])
      ? undefined
      : 'the kernel has no NFQUEUE',
  ipv6: () => (existsSync('/proc/net/if_inet6') ? undefined : 'the kernel has no IPv6'),
  fuse: () => (existsSync('/dev/fuse') ? undefined : 'no /dev/fuse'),
  java: () => (findJava() === undefined ? 'no java on PATH' : undefined),
  jcmd: () => (onPath('jcmd') ? undefined : 'no jcmd on PATH: it comes with a JDK'),
  'kafka-jars': () => (kafkaJarsPresent(ROOT) ? undefined : "no Kafka jars; './run setup'"),
  chromium: () => (CHROMIUMS.some(onPath) ? undefined : 'no chromium on PATH'),
  ssh: () =>
    existsSync('/usr/sbin/sshd') && onPath('ssh') && onPath('ssh-keygen')
      ? undefined
      : "no sshd or ssh; './run setup --ssh'",
  'python-venv': () =>
    existsSync(join(VENV, 'bin', 'ducktape')) ? undefined : `no ${VENV}; './run test' makes it`,
  openssl: () => (onPath('openssl') ? undefined : 'no openssl on PATH'),
  python: () => (onPath('python3') ? undefined : 'no python3 on PATH'),
  'trogdor-jars': () =>
    trogdorJarsPresent() ? undefined : "no jars of Trogdor; './run test' fetches them",
  ping: () => (onPath('ping') ? undefined : 'no ping on PATH'),
  pjdfstest: () =>
    process.env['PJDFSTEST_DIR'] === undefined
      ? 'PJDFSTEST_DIR names no installation of it'
      : undefined,
  fsx: () => (process.env['FSX_BIN'] === undefined ? 'FSX_BIN names no build of it' : undefined),
  cc: () => (onPath('cc') ? undefined : 'no C compiler on PATH'),
  'arm64-cc': () =>
    process.env['ARM64_CC'] === undefined ? 'ARM64_CC names no C compiler for arm64' : undefined,
  'systemd-analyze': () => (onPath('systemd-analyze') ? undefined : 'no systemd-analyze on PATH'),
  long: () => (process.env['FAULTLINE_LONG'] === '1' ? undefined : 'run with --long'),
} satisfies Record<string, () => string | undefined>;

export type NeedName = keyof typeof PROBES;

const probed = new Map<NeedName, string | undefined>();

function probe(need: NeedName): string | undefined {
  if (!probed.has(need)) probed.set(need, PROBES[need]());
  return probed.get(need);
}

/**
 * For the `skip` option of a test or a suite: false, or 'needs: NAME (why)' for the first need that
 * this machine does not meet.
 */
export function lacks(...needs: NeedName[]): string | false {
  for (const need of needs) {
    const why = probe(need);
    if (why !== undefined) return `needs: ${need} (${why})`;
  }
  return false;
}

/** The path of a browser for the tests of the web page. Only where 'chromium' is met. */
export function chromiumPath(): string {
  const found = CHROMIUMS.find(onPath) ?? 'chromium';
  return execFileSync('which', [found], { encoding: 'utf8' }).trim();
}
