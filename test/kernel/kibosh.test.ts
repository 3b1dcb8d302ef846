import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { closeSync, openSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { detach } from '../../src/host/fuse/supervise.ts';
import { run } from '../support/disk-mount.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { until } from '../support/until.ts';

const KIBOSH = join(ROOT, 'compat/kibosh/kibosh');

interface Place {
  target: string;
  mount: string;
  control: string;
  log: string;
}

/** Starts Kibosh as Kafka's system tests do, and ends it by unmounting. */
async function withKibosh(use: (place: Place) => void | Promise<void>): Promise<void> {
  const directory = mkdtempSync('/tmp/faultline-fuse-kibosh-');
  const target = join(directory, 'target');
  const mount = join(directory, 'mount');
  const pidfile = join(directory, 'pid');
  const log = join(directory, 'log');
  mkdirSync(target);
  mkdirSync(mount);
  let pid = 0;
  try {
    const argv = ['--target', target, '--pidfile', pidfile, '--log', log, '--control-mode', '666'];
    const started = await run([KIBOSH, ...argv, '--verbose', mount]);
    assert.equal(started.code, 0, started.error);
    pid = Number(readFileSync(pidfile, 'utf8'));
    await use({ target, mount, control: join(mount, 'kibosh_control'), log });
  } finally {
    await detach(mount);
    if (pid > 0) await until('kibosh ends', () => !existsSync(`/proc/${pid}`));
    rmSync(directory, { recursive: true, force: true });
  }
}

function errnoOf(act: () => unknown): string {
  try {
    act();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

describe("Kibosh's front door", { skip: lacks('root', 'fuse'), concurrency: false }, () => {
  test('the control file: mode, contents, never listed, never removed', async () => {
    await withKibosh(({ mount, control, target }) => {
      assert.equal(readFileSync(control, 'utf8'), '{"faults":[]}');
      assert.equal(statSync(control).mode & 0o777, 0o666);
      // What an open handle does to its own copy is not seen in the file.
      const open = openSync(control, 'w');
      const { mode, size } = statSync(control);
      closeSync(open);
      assert.deepEqual([mode & 0o777, size], [0o666, '{"faults":[]}'.length]);
      assert.deepEqual(readdirSync(mount), []);
      assert.equal(
        errnoOf(() => unlinkSync(control)),
        'EPERM',
      );
      writeFileSync(join(mount, 'x'), '');
      assert.equal(
        errnoOf(() => renameSync(join(mount, 'x'), control)),
        'EPERM',
      );
      assert.deepEqual(readdirSync(target), ['x']);
    });
  });

  test('unreadable and unwritable, by code and by errorCode; a prefix of all locks nobody out', async () => {
    await withKibosh(({ mount, control }) => {
      const file = join(mount, 'a.log');
      writeFileSync(file, 'data');
      const text =
        '{"faults":[ {"type":"unreadable", "prefix":"/a", "suffix":".log", "code":5} ]}\n';
      writeFileSync(control, text);
      assert.equal(readFileSync(control, 'utf8'), text);
      assert.equal(
        errnoOf(() => readFileSync(file)),
        'EIO',
      );
      writeFileSync(control, '{"faults":[{"type":"unreadable","prefix":"","errorCode":13}]}');
      assert.equal(
        errnoOf(() => readFileSync(file)),
        'EACCES',
      );
      writeFileSync(control, '{"faults":[{"type":"unwritable","prefix":"/","code":-28}]}');
      assert.equal(
        errnoOf(() => writeFileSync(file, 'more')),
        'ENOSPC',
      );
      execFileSync('sh', ['-c', 'echo "{}" > "$0"', control]);
      assert.equal(readFileSync(control, 'utf8'), '{}\n');
      writeFileSync(file, 'fine');
      assert.equal(readFileSync(file, 'utf8'), 'fine');
    });
  });

  test('a bad document fails the close with EINVAL and changes nothing', async () => {
    await withKibosh(async ({ control, log, mount }) => {
      const good = '{"faults":[{"type":"read_delay","prefix":"/z","delay_ms":1,"fraction":1}]}';
      writeFileSync(control, good);
      for (const bad of ['{', '{"faults":[{"type":"unreadable"}]}', '{"faults":[{"type":"no"}]}']) {
        const wrote = await run([
          process.execPath,
          '-e',
          `const fs = require('fs'); const fd = fs.openSync(process.argv[1], 'w');
           fs.writeSync(fd, process.argv[2]);
           try { fs.closeSync(fd); process.exit(1); } catch (e) { process.stdout.write(e.code); }`,
          control,
          bad,
        ]);
        assert.deepEqual([wrote.code, wrote.out], [0, 'EINVAL'], bad);
        assert.equal(readFileSync(control, 'utf8'), good);
      }
      assert.match(readFileSync(log, 'utf8'), /errorCode|code/);
      writeFileSync(join(mount, 'z'), 'x');
    });
  });

  test('write_corrupt falls back to dropping the end when its count is used up', async () => {
    await withKibosh(({ mount, control, target }) => {
      writeFileSync(
        control,
        '{"faults":[{"type":"write_corrupt","prefix":"/c","mode":1000,"fraction":1.0,"count":1}]}',
      );
      writeFileSync(join(mount, 'c'), 'x'.repeat(100));
      assert.equal(readFileSync(join(target, 'c'), 'latin1'), '\0'.repeat(100));
      writeFileSync(join(mount, 'other'), 'y');
      assert.equal(readFileSync(join(target, 'other'), 'utf8'), 'y');
    });
  });
});
