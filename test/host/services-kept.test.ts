import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_SERVICES, type Service } from '../../src/core/model/agent-config.ts';
import { configuredServices } from '../../src/host/agent/config.ts';
import { keepServices, keptServices } from '../../src/host/this-machine.ts';

test('the services that were kept last are kept whole, also on a full disk', () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-kept-'));
  const of = (name: string): Record<string, Service> => ({
    [name]: { match: { argumentParts: [name] } },
  });
  try {
    assert.deepEqual(keptServices(directory), DEFAULT_SERVICES);
    keepServices(directory, of('one'));
    keepServices(directory, of('two'));
    assert.deepEqual(keptServices(directory), of('two'));
    symlinkSync('/dev/full', join(directory, 'services.json.new'));
    keepServices(directory, of('three'));
    assert.deepEqual(keptServices(directory), of('two'));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('who heals without an agent is told of a --config that is wrong, and goes on without it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-kept-'));
  const config = join(directory, 'agent.json');
  try {
    assert.deepEqual(await configuredServices(undefined), {});
    const broker = { match: { mainClass: 'kafka.Kafka' }, start: { argv: ['/bin/true'] } };
    writeFileSync(config, JSON.stringify({ services: { broker } }));
    const { services } = await configuredServices(config);
    assert.deepEqual(services?.['broker'], broker);
    writeFileSync(config, '{ "services": 7 }');
    const { problem, services: none } = await configuredServices(config);
    assert.match(problem ?? '', /agent\.json: \/services/);
    assert.equal(none, undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
