import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesProcess } from '../../../src/core/model/process-facts.ts';
import { selectProcesses } from '../../../src/core/model/process-selection.ts';

const named = (javaName: string, argv: readonly string[]): boolean =>
  matchesProcess({ javaName }, { pid: 1, argv }, {});

test('javaName looks where jcmd looks: at the main class or jar and what follows', () => {
  const broker = [
    '/opt/jdk/bin/java',
    '-Xmx1g',
    '-cp',
    '/opt/kafka/libs/*',
    '-Da=b',
    'kafka.Kafka',
  ];
  assert.ok(named('kafka.Kafka', broker));
  assert.ok(named('Kafka', broker));
  assert.ok(named('server.properties', [...broker, '/mnt/kafka/server.properties']));
  assert.ok(!named('libs', broker), 'the class path is none of it');
  assert.ok(!named('Da=b', broker), 'an option is none of it');
  assert.ok(!named('kafka\\.Kafka', broker), 'a literal text');
  assert.ok(named('tool.jar', ['java', '-Xmx1g', '-jar', 'tool.jar', 'run']));
  assert.ok(named('tool/main', ['java', '-p', 'mods', '-m', 'tool/main']));
  assert.ok(!named('kafka.Kafka', ['bash', '-c', 'java kafka.Kafka']), 'no JVM');
  assert.ok(!named('x', ['java', '-cp']), 'nothing after its options');
});

test("'some' takes any number of processes but none", () => {
  const found = (count: number) =>
    selectProcesses({ javaName: 'x', expect: 'some' }, [
      {
        query: 'processes',
        processes: Array.from({ length: count }, (_, pid) => ({
          process: { bootId: 'b', pidNamespace: 1, pid: pid + 2, birthTicks: 1 },
          commandLine: 'java x',
          state: 'S',
        })),
      },
    ]);
  assert.equal(found(3).length, 3);
  assert.match(JSON.stringify(found(0)), /0 process\(es\) match.*at least one/);
});
