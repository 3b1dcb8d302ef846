import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { kindNamed } from '../../src/core/faults/registry.ts';
import type { Problem } from '../../src/core/base/problem.ts';
import type { FaultKind, Step } from '../../src/core/model/fault.ts';
import type { Answer } from '../../src/core/model/query.ts';
import { RealLinux } from '../../src/host/linux/real-linux.ts';
import { CASES, hereOf, undoOf, type Case } from '../conformance/cases.ts';
import { lacks } from '../support/needs.ts';

const MIB = 1 << 20;

function caseOf(name: string): Case {
  const found = CASES.find(({ kind }) => kind.kind === name);
  assert.ok(found);
  return found;
}

suite('disk faults without a file system of ours', { skip: lacks('root', 'linux') }, () => {
  let directory: string;
  let disk: string;
  let linux: RealLinux;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'faultline-files-'));
    disk = join(directory, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=100m', 'tmpfs', disk]);
    linux = new RealLinux({ services: {}, scratchDir: directory, stateDirectory: directory });
  });
  after(() => {
    execFileSync('umount', [disk]);
    rmSync(directory, { recursive: true });
  });

  async function planned(name: string, params: object): Promise<Step[] | Problem[]> {
    const kind = kindNamed(name) as FaultKind;
    const here = hereOf(caseOf(name), 'n1');
    const facts: Answer[] = [];
    for (const query of kind.observe(params, here)) facts.push(await linux.ask(query));
    return kind.plan(params, here, facts);
  }
  async function stepOf(name: string, params: object): Promise<Step> {
    const [step] = await planned(name, params);
    assert.ok(step !== undefined && 'act' in step, JSON.stringify(step));
    return step;
  }
  const freeMiB = (): number => {
    const { bavail, bsize } = statfsSync(disk);
    return Math.round((bavail * bsize) / MIB);
  };
  async function undo(step: Step): Promise<void> {
    const act = undoOf(step);
    assert.ok(act);
    await linux.perform(act);
    await linux.perform(act);
  }

  test('it fills to the floor, and makes room again', async () => {
    const step = await stepOf('disk.fill', { directory: disk, memory: true });
    await undo(step);
    await linux.perform(step.act);
    await linux.perform(step.act);
    assert.equal(await linux.holds(step.act), true);
    assert.equal(freeMiB(), 32);
    const [full] = await planned('disk.fill', { directory: disk, memory: true });
    assert.match((full as Problem).message, /that full already/);
    await undo(step);
    assert.equal(freeMiB(), 100);
  });

  test('a tmpfs is memory: not without being asked for by name', async () => {
    const [refused] = await planned('disk.fill', { directory: disk });
    assert.match((refused as Problem).message, /is memory of this machine/);
  });

  test('a share of it', async () => {
    const step = await stepOf('disk.fill', { directory: disk, memory: true, share: '50%' });
    await linux.perform(step.act);
    assert.equal(freeMiB(), 50);
    await undo(step);
  });

  test('not where our own state is, nor over what is in the way', async () => {
    const [own] = await planned('disk.fill', { directory });
    assert.match((own as Problem).message, /own state/);
    const step = await stepOf('disk.fill', { directory: disk, memory: true });
    assert.ok(step.act.act === 'disk.fill');
    mkdirSync(step.act.path);
    await assert.rejects(linux.perform(step.act), /could not be allocated/);
    await undo(step);
    assert.equal(existsSync(step.act.path), true, 'what is not ours stays');
    rmSync(step.act.path, { recursive: true });
  });

  const original = Buffer.from(Array.from({ length: 4096 }, (_, index) => index % 251));
  const segment = (): string => join(disk, 'orders-0', '00000000000000000000.log');
  function different(left: Buffer, right: Buffer): number {
    let bits = 0;
    for (const [index, byte] of left.entries()) {
      bits += ((byte ^ (right[index] ?? 0)).toString(2).match(/1/g) ?? []).length;
    }
    return bits;
  }

  test('no room is taken in a file that has another name, too', async () => {
    const step = await stepOf('disk.fill', { directory: disk, memory: true });
    assert.ok(step.act.act === 'disk.fill');
    writeFileSync(join(disk, 'precious'), 'text');
    linkSync(join(disk, 'precious'), step.act.path);
    await assert.rejects(linux.perform(step.act), /could not be allocated/);
    assert.equal(readFileSync(join(disk, 'precious'), 'utf8'), 'text');
    rmSync(join(disk, 'precious'));
  });

  test('no bit flips of what is no file of anybody', async () => {
    execFileSync('mkfifo', [join(disk, 'fifo')]);
    symlinkSync('/etc/hostname', join(disk, 'link'));
    writeFileSync(join(directory, 'journal'), 'our own state');
    const wrong: [string, RegExp][] = [
      [join(disk, 'fifo'), /no regular file/],
      [join(disk, 'link'), /no regular file/],
      ['/dev/null', /no regular file/],
      ['/proc/self/status', /the kernel's/],
      ['/sys/kernel/mm/ksm/run', /the kernel's|no such file/],
      [join(directory, 'journal'), /own state/],
    ];
    for (const [file, says] of wrong) {
      const [problem] = await planned('disk.flip', { file });
      assert.match((problem as Problem).message ?? '', says, file);
    }
  });

  test('bits of a segment flip, and come back', async () => {
    mkdirSync(join(disk, 'orders-0'));
    writeFileSync(segment(), original);
    writeFileSync(join(disk, 'orders-0', '00000000000000004096.log'), 'the newest');
    const params = { segment: { directory: disk, topicPartition: 'orders-0' }, bits: 5 };
    const step = await stepOf('disk.flip', params);
    await undo(step);
    assert.deepEqual(readFileSync(segment()), original);
    await linux.perform(step.act);
    await linux.perform(step.act);
    assert.equal(await linux.holds(step.act), true);
    assert.equal(different(readFileSync(segment()), original), 5);
    await undo(step);
    assert.deepEqual(readFileSync(segment()), original);
  });

  test('what was written since stays; a file that is gone is no error', async () => {
    const step = await stepOf('disk.flip', { file: segment(), bits: 2, to: 1000 });
    await linux.perform(step.act);
    const others = Buffer.from(original.map((byte) => 255 - byte));
    writeFileSync(segment(), others);
    await undo(step);
    assert.deepEqual(readFileSync(segment()), others);
    await assert.rejects(linux.perform(step.act), /not what it was/);
    rmSync(segment());
    await undo(step);
  });

  test('a file that is not there, and one that is too small, are refused', async () => {
    const [missing] = await planned('disk.flip', { file: join(disk, 'no-such-file') });
    assert.match((missing as Problem).message, /ENOENT/);
    writeFileSync(join(disk, 'small'), 'abc');
    const [small] = await planned('disk.flip', { file: join(disk, 'small'), bits: 3 });
    assert.match((small as Problem).message, /too small/);
  });
});
