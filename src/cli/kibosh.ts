import { spawn } from 'node:child_process';
import { openSync, realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { KIBOSH_NOTHING } from '../core/disk/kibosh.ts';
import { canonicalMountPoint } from '../host/fuse/control-client.ts';
import { mountNotStarted, prepareMountPoint, superviseMount } from '../host/fuse/supervise.ts';

const USAGE = `usage: kibosh [options] --target TARGET MOUNTPOINT
  --target TARGET       the directory that is shown at MOUNTPOINT
  --pidfile FILE        write the process's id there
  --log FILE            write messages there
  --control-mode MODE   of the file kibosh_control, octal; default 600
  --random-seed N       decides every draw; default 0
  -f, --foreground      stay in the foreground
  -v, --verbose         (nothing more to say)
  -o OPTION             taken and ignored: what it needs is always on
  -h, --help            this`;

/** Kibosh's command line. @returns the exit code. */
export async function kibosh(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      target: { type: 'string' },
      pidfile: { type: 'string' },
      log: { type: 'string' },
      'control-mode': { type: 'string', default: '600' },
      'random-seed': { type: 'string', default: '0' },
      foreground: { type: 'boolean', short: 'f' },
      verbose: { type: 'boolean', short: 'v' },
      option: { type: 'string', short: 'o', multiple: true },
      'fuse-help': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true || values['fuse-help'] === true) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const mountPoint = positionals[0];
  const mode = /^[0-7]{1,4}$/.test(values['control-mode']);
  const seed = Number(values['random-seed']);
  const isSeed = Number.isSafeInteger(seed) && seed >= 0;
  if (values.target === undefined || mountPoint === undefined || !mode || !isSeed) {
    process.stderr.write(`${USAGE}\n`);
    return 64;
  }
  const at = canonicalMountPoint(mountPoint);
  await prepareMountPoint(at, values.target);
  const options = JSON.stringify({
    target: realpathSync(values.target),
    mountPoint: realpathSync(at),
    shared: true,
    seed,
    controlFile: {
      name: 'kibosh_control',
      mode: Number.parseInt(values['control-mode'], 8),
      text: KIBOSH_NOTHING,
    },
  });
  const script = fileURLToPath(new URL('../bin/mount.ts', import.meta.url));
  const note = (pid: number): void => {
    if (values.pidfile !== undefined) writeFileSync(values.pidfile, `${pid}\n`);
  };
  if (values.foreground === true) return superviseMount(script, [options], at, note);
  return startDaemon(script, options, values.log, note);
}

/** Returns when the mount can be used, as Kibosh's fork does. */
function startDaemon(
  script: string,
  options: string,
  log: string | undefined,
  note: (pid: number) => void,
): Promise<number> {
  const errors = openSync(log ?? '/dev/null', 'a');
  const child = spawn(process.execPath, [...process.execArgv, script, options], {
    stdio: ['ignore', 'pipe', errors],
    detached: true,
    cwd: '/',
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => resolve(code ?? 1));
    child.once('error', (cause) => reject(mountNotStarted(cause)));
    child.stdout?.once('data', () => {
      note(child.pid ?? 0);
      child.stdout?.destroy();
      child.unref();
      resolve(0);
    });
  });
}
