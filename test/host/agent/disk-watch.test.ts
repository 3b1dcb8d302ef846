import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Failure, reasonOf } from '../../../src/core/base/failure.ts';
import { DiskWatch } from '../../../src/host/agent/disk-watch.ts';

const AT = '/mnt/faultline-disk-watch';
const MINUTE_MS = 60_000;

/** Lets time pass, in steps of a quarter of a second. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    mock.timers.tick(250);
    for (let turns = 0; turns < 3; turns++) await turn();
  }
}

describe('the watch of file systems', { concurrency: false }, () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    // Named imports see the timers as they were without it.
    syncBuiltinESMExports();
  });
  afterEach(() => {
    mock.timers.reset();
    syncBuiltinESMExports();
  });

  test('one that fails at once is asked seldom, and told of when that changes', async () => {
    const told: string[] = [];
    let asked = 0;
    let fails = 'EMFILE';
    const ports = {
      state: () => assert.fail('no fault is asked about'),
      onHit: () => assert.fail('there is no hit'),
      onEnd: () => assert.fail('it has not ended'),
      onTrouble: (error: unknown, place: string) => told.push(`${place}: ${reasonOf(error)}`),
    };
    const ask = (): Promise<never> => {
      asked++;
      return Promise.reject(new Error(fails));
    };
    const unmountLeftover = () => assert.fail('it has not ended');
    const watch = new DiskWatch(ports, { mounts: () => [AT], ask, unmountLeftover });
    watch.start();
    await pass(MINUTE_MS);
    assert.deepEqual(told, [`${AT}: EMFILE`]);
    assert.ok(asked > 5 && asked < 20, `asked ${asked} times`);
    fails = 'EACCES';
    await pass(MINUTE_MS);
    assert.deepEqual(told, [`${AT}: EMFILE`, `${AT}: EACCES`]);
    watch.close();
  });

  test('one that breaks every connection is asked seldom, too', async () => {
    let asked = 0;
    const ports = {
      state: () => assert.fail('no fault is asked about'),
      onHit: () => assert.fail('there is no hit'),
      onEnd: () => assert.fail('it has not ended'),
      onTrouble: () => undefined,
    };
    const cause = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    const ask = async (): Promise<never> => {
      // Without a pause nothing else would ever have its turn, this test neither.
      if (++asked === 1_000) watch.close();
      throw new Failure('not-mounted', 'it breaks', { definite: false, cause });
    };
    const unmountLeftover = () => assert.fail('it has not ended');
    const watch = new DiskWatch(ports, { mounts: () => [AT], ask, unmountLeftover });
    watch.start();
    await pass(MINUTE_MS);
    watch.close();
    assert.ok(asked > 5 && asked < 20, `asked ${asked} times`);
  });

  test('the mount of one that has ended is detached as soon as that can be done', async () => {
    const told: string[] = [];
    const ended: unknown[] = [];
    const ports = {
      state: () => assert.fail('no fault is asked about'),
      onHit: () => assert.fail('there is no hit'),
      onEnd: (place: string, detached: boolean) => ended.push({ place, detached }),
      onTrouble: (error: unknown, place: string) => told.push(`${place}: ${reasonOf(error)}`),
    };
    const answers: unknown[] = [{ events: [], hits: {} }];
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const gone = new Failure('not-mounted', 'nobody answers', { definite: false, cause });
    const ask = async (): Promise<unknown> => answers.shift() ?? Promise.reject(gone);
    let hasDescriptors = false;
    const unmountLeftover = async (): Promise<boolean> => {
      if (hasDescriptors) return true;
      throw new Error('EMFILE');
    };
    const mounts = (): string[] => (ended.length > 0 ? [] : [AT]);
    const watch = new DiskWatch(ports, { mounts, ask, unmountLeftover });
    watch.start();
    await pass(MINUTE_MS);
    assert.deepEqual([told, ended], [[`${AT}: EMFILE`], []]);
    hasDescriptors = true;
    await pass(MINUTE_MS);
    assert.deepEqual(ended, [{ place: AT, detached: true }]);
    watch.close();
  });
});
