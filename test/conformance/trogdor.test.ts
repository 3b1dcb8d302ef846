/** What the real Trogdor answered (tools/record-trogdor.ts), asked of it again and of ours. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Agent } from '../../src/host/agent/daemon.ts';
import { bootMs } from '../../src/host/clock.ts';
import { Tokens } from '../../src/host/http/tokens.ts';
import { openAgentDoor } from '../../src/host/trogdor/open.ts';
import type { TrogdorServer } from '../../src/host/trogdor/serve.ts';
import { FakeLinux } from '../support/fake-linux.ts';
import { lacks, ROOT } from '../support/needs.ts';
import { StubCluster } from '../support/stub-cluster.ts';
import { converse, type Recorded } from '../support/trogdor/converse.ts';
import {
  AGENT_DIFFERENCES,
  COORDINATOR_DIFFERENCES,
  type Difference,
} from '../support/trogdor/differences.ts';
import { AGENT_EXCHANGES, COORDINATOR_EXCHANGES } from '../support/trogdor/exchanges.ts';
import { RealTrogdor } from '../support/trogdor/real.ts';

function recordedOf(side: 'agent' | 'coordinator'): Recorded[] {
  const path = join(ROOT, 'test', 'conformance', 'trogdor', `${side}.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as Recorded[];
}

/** Of errors the code and the shape are the protocol; the words are each one's own. */
function comparable({ status, body }: Pick<Recorded, 'status' | 'body'>): unknown {
  if (status < 400) return { status, body };
  const { code, message } = body as { code?: unknown; message?: unknown };
  return { status, body: { code, message: typeof message } };
}

/** Ours, held against what was recorded, but for what is listed. */
function holds(
  ours: readonly Recorded[],
  recorded: readonly Recorded[],
  differences: readonly Difference[],
): void {
  assert.deepEqual(
    recorded.map(({ name }) => name),
    ours.map(({ name }) => name),
    'recorded anew: node tools/record-trogdor.ts',
  );
  const unlisted = ours.filter((mine, index) => {
    const theirs = recorded[index];
    if (!theirs) return true;
    const listed = differences.find(({ exchanges }) => exchanges.includes(mine.name));
    const status = listed?.status ?? theirs.status;
    const body = status >= 400 ? { code: status, message: '' } : (listed?.body ?? theirs.body);
    const differs = !same(mine, theirs);
    return !same(mine, { status, body }) || differs !== (listed !== undefined);
  });
  assert.deepEqual(unlisted, []);
  assert.ok(ours.every(({ contentType }) => contentType === 'application/json'));
}

function same(
  left: Pick<Recorded, 'status' | 'body'>,
  right: Pick<Recorded, 'status' | 'body'>,
): boolean {
  return isDeepStrictEqual(comparable(left), comparable(right));
}

suite("Trogdor's protocol, coordinator", () => {
  const cluster = new StubCluster();
  before(async () => {
    await cluster.startStubs(2);
    await cluster.startCoordinator({}, { trogdor: '0' });
    await cluster.linked();
  });
  after(() => cluster.close());

  test('answers as Trogdor does', async () => {
    const ours = await converse(cluster.served?.trogdorUrl ?? '', COORDINATOR_EXCHANGES);
    holds(ours, recordedOf('coordinator'), COORDINATOR_DIFFERENCES);
  });
});

suite("Trogdor's protocol, agent", { skip: lacks('linux') }, () => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'faultline-trogdor-agent-'));
  const quiet = { debug: () => undefined, info: () => undefined, error: () => undefined };
  let agent: Agent;
  let door: TrogdorServer;
  let shutdowns = 0;

  before(async () => {
    agent = await Agent.start({
      node: 'n1',
      stateDirectory,
      makeLinux: () => new FakeLinux(bootMs),
      logger: quiet,
      onBug: (error) => assert.fail(String(error)),
    });
    await agent.listen({
      listen: { host: '127.0.0.1', port: 0 },
      tokens: new Tokens().add('a-token-for-the-tests-of-the-agent', 'operate', 'test'),
      insecure: false,
    });
    door = await openAgentDoor({
      at: '0',
      insecure: false,
      hostNames: [],
      trogdorNodes: [],
      logger: quiet,
      shutdown: () => (shutdowns += 1),
      node: 'n1',
      agent,
    });
  });
  after(async () => {
    await door.close();
    await agent.stop();
    rmSync(stateDirectory, { recursive: true, force: true });
  });

  test('answers as Trogdor does', async () => {
    const ours = await converse(door.url, AGENT_EXCHANGES);
    holds(ours, recordedOf('agent'), AGENT_DIFFERENCES);
    assert.equal(shutdowns, 1);
  });
});

suite('the real Trogdor', { skip: lacks('java', 'trogdor-jars') }, () => {
  const real = new RealTrogdor();
  before(() => real.start());
  after(() => real.close());

  test('its coordinator still answers as recorded', async () => {
    const answers = await converse(real.coordinatorUrl, COORDINATOR_EXCHANGES);
    holdsAsRecorded(answers, recordedOf('coordinator'));
  });
  test('its agent still answers as recorded', async () => {
    const answers = await converse(await real.startLoneAgent(), AGENT_EXCHANGES);
    holdsAsRecorded(answers, recordedOf('agent'));
  });
});

function holdsAsRecorded(answers: readonly Recorded[], recorded: readonly Recorded[]): void {
  for (const [index, answer] of answers.entries()) {
    const kept = recorded[index];
    assert.ok(kept);
    assert.deepEqual(comparable(answer), comparable(kept), answer.name);
  }
}

test('every difference stands in the guide', () => {
  const guide = readFileSync(join(ROOT, 'docs', 'guides', 'coming-from-trogdor.md'), 'utf8');
  for (const { says } of [...COORDINATOR_DIFFERENCES, ...AGENT_DIFFERENCES])
    assert.ok(guide.includes(`| ${says}`), says);
});
