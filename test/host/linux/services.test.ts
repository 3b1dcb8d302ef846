import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EndingNotes } from '../../../src/host/linux/ending-notes.ts';
import { signalAll } from '../../../src/host/linux/processes.ts';
import { Services } from '../../../src/host/linux/services.ts';
import { lacks } from '../../support/needs.ts';

test('a start that brought nothing is asked for again', { skip: lacks('linux') }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-services-'));
  const mark = `faultline-services-${process.pid}`;
  const asked = join(directory, 'asked');
  // An init that has not noticed yet that the service ended says that all is well, and does nothing.
  const script = `[ -e ${asked} ] || { : > ${asked}; exit 0; }; exec /bin/bash ${directory}/*.sh`;
  writeFileSync(join(directory, `${mark}.sh`), 'read -r <> <(:)');
  const match = { argumentParts: [mark] };
  const service = { match, start: { argv: ['/bin/bash', '-c', script] } };
  const services = new Services({ broker: service }, new EndingNotes(directory));
  try {
    await services.start('broker');
    assert.equal(services.running(service).length, 1);
  } finally {
    const refs = services.running(service).map(({ ref }) => ref);
    await signalAll(refs, 'SIGKILL');
    rmSync(directory, { recursive: true });
  }
});

test(
  'what is started is not spared by the OOM killer, though the agent is',
  {
    skip: lacks('linux'),
  },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-services-'));
    const mark = `faultline-spared-${process.pid}`;
    writeFileSync(join(directory, `${mark}.sh`), 'read -r <> <(:)');
    const argv = ['/bin/bash', join(directory, `${mark}.sh`)];
    const service = { match: { argumentParts: [mark] }, start: { argv } };
    const services = new Services({ broker: service }, new EndingNotes(directory));
    const own = '/proc/self/oom_score_adj';
    const before = readFileSync(own, 'utf8');
    try {
      // Less than nothing takes a capability that not every root has.
      writeFileSync(own, '100');
      await services.start('broker');
      const [seen] = services.running(service);
      assert.ok(seen);
      assert.equal(readFileSync(`/proc/${seen.ref.pid}/oom_score_adj`, 'utf8').trim(), '0');
    } finally {
      writeFileSync(own, before);
      await signalAll(
        services.running(service).map(({ ref }) => ref),
        'SIGKILL',
      );
      rmSync(directory, { recursive: true });
    }
  },
);
