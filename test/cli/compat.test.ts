import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/needs.ts';
import { faultline, withFiles } from './support.ts';

test('compat install: programs where kafkatest looks, what was there kept, and all of it undone', () => {
  withFiles({}, (prefix) => {
    const bin = join(prefix, 'kafka-dev', 'bin');
    const trogdor = join(bin, 'trogdor.sh');
    const kibosh = join(prefix, 'kibosh', 'build', 'kibosh');
    mkdirSync(bin, { recursive: true });
    writeFileSync(trogdor, "Kafka's own");
    for (let round = 0; round < 2; round++) {
      assert.equal(faultline(['compat', 'install', '--prefix', prefix]).code, 0);
      assert.equal(realpathSync(trogdor), join(ROOT, 'compat', 'trogdor.sh'));
      assert.equal(realpathSync(kibosh), join(ROOT, 'compat', 'kibosh', 'kibosh'));
      assert.equal(readFileSync(`${trogdor}.before-faultline`, 'utf8'), "Kafka's own");
    }
    const { status, stdout, stderr } = spawnSync(kibosh, ['--help'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(`${stdout}${stderr}`, /--target/);
    for (let round = 0; round < 2; round++) {
      assert.equal(faultline(['compat', 'uninstall', '--prefix', prefix]).code, 0);
      assert.equal(readFileSync(trogdor, 'utf8'), "Kafka's own");
      assert.ok(!existsSync(kibosh));
      assert.deepEqual(readdirSync(bin), ['trogdor.sh']);
    }
  });
});

test('compat install: daemons there share a token, or have that of a file', () => {
  withFiles({}, (prefix) => {
    const given = join(prefix, 'given.token');
    writeFileSync(given, `${'1'.repeat(64)}\n`, { mode: 0o600 });
    const install = (...more: string[]) => {
      const argv = ['compat', 'install', '--prefix', prefix, '--json'].concat(more);
      const { code, stdout, stderr } = faultline(argv);
      assert.equal(code, 0, stderr);
      const { token } = JSON.parse(stdout) as { token: string };
      assert.equal(statSync(token).mode & 0o777, 0o600);
      return readFileSync(token, 'utf8');
    };
    const made = install();
    assert.match(made, /^[0-9a-f]{64}\n$/);
    assert.equal(install(), made);
    assert.equal(install('--token-file', given), readFileSync(given, 'utf8'));
    assert.equal(install(), readFileSync(given, 'utf8'));
  });
});

test('compat install: what an earlier one has kept is never covered', () => {
  withFiles({}, (prefix) => {
    const bin = join(prefix, 'kafka-dev', 'bin');
    mkdirSync(bin, { recursive: true });
    const trogdor = join(bin, 'trogdor.sh');
    writeFileSync(`${trogdor}.before-faultline`, "Kafka's own");
    writeFileSync(trogdor, 'another, put over our link');
    const { code, stderr } = faultline(['compat', 'install', '--prefix', prefix]);
    assert.notEqual(code, 0);
    assert.match(stderr, /would be lost: .*trogdor\.sh\.before-faultline; move it away/);
    assert.equal(readFileSync(`${trogdor}.before-faultline`, 'utf8'), "Kafka's own");
    assert.ok(!existsSync(join(prefix, 'kibosh')));
  });
});
