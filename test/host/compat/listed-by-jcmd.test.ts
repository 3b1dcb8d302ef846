import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { listForJcmd } from '../../../src/host/compat/listed-by-jcmd.ts';
import { lacks } from '../../support/needs.ts';

const COMMAND = `org.apache.kafka.trogdor.agent.Agent --node-name listed-${process.pid}`;

suite('listed by jcmd', { skip: lacks('linux') }, () => {
  let temporary: string;
  let directory: string;
  let file: string;
  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), 'faultline-listed-'));
    directory = join(temporary, `hsperfdata_${userInfo().username}`);
    file = join(directory, String(process.pid));
  });
  afterEach(() => rmSync(temporary, { recursive: true }));

  test("a file of this user's alone, which goes again", () => {
    const unlist = listForJcmd(COMMAND, temporary);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(directory).mode & 0o022, 0);
    assert.ok(readFileSync(file).includes(COMMAND));
    unlist();
    assert.deepEqual(readdirSync(directory), []);
  });

  test('what a dead process of that pid left is taken away, not written to', () => {
    const victim = join(temporary, 'victim');
    writeFileSync(victim, 'as it was');
    mkdirSync(directory);
    symlinkSync(victim, file);
    listForJcmd(COMMAND, temporary)();
    assert.equal(readFileSync(victim, 'utf8'), 'as it was');
    assert.ok(!existsSync(file));
  });

  test('nothing is written to a directory that others could write to, or that is a link', () => {
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    assert.throws(() => listForJcmd(COMMAND, temporary), { code: 'not-ours' });
    assert.deepEqual(readdirSync(directory), []);
    const elsewhere = join(temporary, 'elsewhere');
    mkdirSync(elsewhere);
    rmSync(directory, { recursive: true });
    symlinkSync(elsewhere, directory);
    assert.throws(() => listForJcmd(COMMAND, temporary));
    assert.deepEqual(readdirSync(elsewhere), []);
  });

  test('SIGQUIT, by which a JVM is asked for its threads, does not end it', () => {
    const before = process.listenerCount('SIGQUIT');
    const unlist = listForJcmd(COMMAND, temporary);
    assert.equal(process.listenerCount('SIGQUIT'), before + 1);
    unlist();
    assert.equal(process.listenerCount('SIGQUIT'), before);
  });

  test('jcmd lists it by that name', { skip: lacks('jcmd') }, () => {
    const listed = (): string => spawnSync('jcmd', ['-l'], { encoding: 'utf8' }).stdout;
    const unlist = listForJcmd(COMMAND);
    try {
      assert.ok(listed().split('\n').includes(`${process.pid} ${COMMAND}`));
    } finally {
      unlist();
    }
    assert.ok(!listed().includes(COMMAND));
  });
});
