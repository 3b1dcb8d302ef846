import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bringRelease, kafkaJarsPresent } from '../../../src/host/lab/kafka-cache.ts';
import { lacks } from '../../support/needs.ts';

/** A Maven that notes that it was called, and bears nobody beside it. */
const MAVEN = `#!/bin/bash
echo called >>"$CALLS"
for argument in "$@"; do
  case $argument in
    -DoutputDirectory=*) directory=\${argument#*=} ;;
    -Dkafka.version=*) version=\${argument#*=} ;;
  esac
done
mkdir "$directory" && : >"$directory/kafka_2.13-$version.jar"
`;

test(
  'labs that want the same release at once fetch it once',
  { skip: lacks('linux') },
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'faultline-kafka-cache-'));
    const calls = join(root, 'calls');
    const cache = process.env['FAULTLINE_CACHE'];
    try {
      process.env['FAULTLINE_CACHE'] = join(root, 'cache');
      mkdirSync(join(root, 'bin'));
      writeFileSync(join(root, 'bin', 'mvn'), MAVEN, { mode: 0o755 });
      const env = { PATH: `${join(root, 'bin')}:${process.env['PATH']}`, CALLS: calls };
      const said: string[] = [];
      const bring = (): Promise<void> =>
        bringRelease(root, '3.9.9', (line) => said.push(line), env);
      await Promise.all([bring(), bring(), bring()]);
      assert.ok(kafkaJarsPresent(root, '3.9.9'));
      assert.equal(readFileSync(calls, 'utf8'), 'called\n');
      assert.equal(said.filter((line) => line.startsWith('fetching')).length, 1);
    } finally {
      if (cache === undefined) delete process.env['FAULTLINE_CACHE'];
      else process.env['FAULTLINE_CACHE'] = cache;
      rmSync(root, { recursive: true });
    }
  },
);
