import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import { mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DiskWatch } from '../../../src/host/agent/disk-watch.ts';

const AT = '/mnt/faultline-disk-watch';
const MINUTE_MS = 60_000;

test('a file system that fails at once is asked seldom, and told of when that changes', async () => {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  // Named imports see the timers as they were without it.
  syncBuiltinESMExports();
  const told: string[] = [];
  let asked = 0;
  let fails = 'EMFILE';
  const ports = {
    state: () => assert.fail('no fault is asked about'),
    onHit: () => assert.fail('there is no hit'),
    onEnd: () => assert.fail('it has not ended'),
    onTrouble: (error: unknown, place: string) => told.push(`${place}: ${String(error)}`),
  };
  const ask = (): Promise<never> => {
    asked++;
    return Promise.reject(new Error(fails));
  };
  const watch = new DiskWatch(ports, { mounts: () => [AT], ask });
  const passMinute = async (): Promise<void> => {
    for (let passed = 0; passed < MINUTE_MS; passed += 250) {
      mock.timers.tick(250);
      for (let turns = 0; turns < 3; turns++) await turn();
    }
  };
  try {
    watch.start();
    await passMinute();
    assert.deepEqual(told, [`${AT}: Error: EMFILE`]);
    assert.ok(asked > 5 && asked < 20, `asked ${asked} times`);
    fails = 'EACCES';
    await passMinute();
    assert.deepEqual(told, [`${AT}: Error: EMFILE`, `${AT}: Error: EACCES`]);
  } finally {
    watch.close();
    mock.timers.reset();
    syncBuiltinESMExports();
  }
});
