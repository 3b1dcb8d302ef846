import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { coordinatorState, forgetOtherStates } from '../../src/cli/trogdor/state.ts';
import { withFiles } from './support.ts';

test("a coordinator's state is that of its trogdor.conf: written anew, it is another cluster", () => {
  withFiles({ 'trogdor.conf': '{}' }, (directory) => {
    const config = join(directory, 'trogdor.conf');
    const own = join(directory, 'own');
    mkdirSync(join(own, 'something-else'), { recursive: true });
    const first = coordinatorState(own, config);
    writeFileSync(join(first, 'tasks'), 'known');
    assert.equal(coordinatorState(own, config), first);
    writeFileSync(config, '{}');
    // Whatever the resolution of the file system's clock.
    utimesSync(config, 1, 1);
    const second = coordinatorState(own, config);
    assert.notEqual(second, first);
    assert.deepEqual(readdirSync(second), []);
    assert.ok(existsSync(join(first, 'tasks')), 'only what has its ports may forget the others');
    forgetOtherStates(own, second);
    assert.deepEqual(readdirSync(own).toSorted(), [second.slice(own.length + 1), 'something-else']);
  });
});
