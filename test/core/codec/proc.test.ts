import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  parseCommandLine,
  parseListeningInodes,
  parseNamespaceLink,
  parseStat,
} from '../../../src/core/codec/proc.ts';
import { matchesGlob, matchesProcess } from '../../../src/core/model/process-facts.ts';

const REST = '1 42 42 0 -1 4194304 100 0 0 0 7 5 0 0 20 0 1 0 8061 3000000 200';

suite('proc', () => {
  test('stat, also where the name tries to look like more fields', () => {
    assert.deepEqual(parseStat(`42 (java) S ${REST}\n`), {
      pid: 42,
      comm: 'java',
      state: 'S',
      parentPid: 1,
      cpuTicks: 12,
      birthTicks: 8061,
    });
    const evil = parseStat(`42 (a) Z 1 (b) S ${REST}\n`);
    assert.equal(evil?.comm, 'a) Z 1 (b');
    assert.equal(evil?.state, 'S');
    for (const text of ['', '42', '42 (java', `42 (java) S 1`, `x (java) S ${REST}`]) {
      assert.equal(parseStat(text), undefined, text);
    }
  });

  test('arguments, empty ones too', () => {
    assert.deepEqual(parseCommandLine('java\0-cp\0\0kafka.Kafka\0'), [
      'java',
      '-cp',
      '',
      'kafka.Kafka',
    ]);
    assert.deepEqual(parseCommandLine('title set by itself'), ['title set by itself']);
    assert.deepEqual(parseCommandLine(''), []);
  });

  test('only sockets that listen on the port', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:2384 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1',
      '   1: 0100007F:2384 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000     0        0 222 1',
      '   2: 0100007F:2385 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1',
    ].join('\n');
    assert.deepEqual(parseListeningInodes(table, 0x2384), ['111']);
    assert.deepEqual(parseListeningInodes(table, 1), []);
    assert.deepEqual(parseListeningInodes('', 1), []);
  });

  test('namespace links', () => {
    assert.equal(parseNamespaceLink('pid:[4026531836]'), 4_026_531_836);
    assert.equal(parseNamespaceLink('socket:[1]x'), undefined);
  });
});

suite('process matches', () => {
  test('globs: only * and ?, over the whole text, and never slow', () => {
    const cases: [string, string, boolean][] = [
      ['*', '', true],
      ['', '', true],
      ['', 'a', false],
      ['a?c', 'abc', true],
      ['a?c', 'ac', false],
      ['a*c', 'abbc', true],
      ['a*c', 'abcd', false],
      ['*b*', 'abc', true],
      ['.*', 'abc', false],
      ['[ab]', 'a', false],
      ['**a**', 'a', true],
    ];
    for (const [glob, text, expected] of cases) {
      assert.equal(matchesGlob(glob, text), expected, `${glob} ${text}`);
    }
    // Exponential where every star is tried against every rest: this would not end.
    assert.equal(matchesGlob(`${'a*'.repeat(200)}b`, 'a'.repeat(5_000)), false);
  });

  test('every condition must hold, and what has no arguments is nobody', () => {
    const broker = {
      pid: 7,
      argv: ['/usr/bin/java', '-Xmx1g', 'kafka.Kafka', 'server.properties'],
    };
    const matches = (match: object, facts = {}): boolean => matchesProcess(match, broker, facts);
    assert.ok(matches({ mainClass: 'kafka.Kafka' }));
    assert.ok(!matches({ mainClass: 'kafka.Kaf' }));
    assert.ok(matches({ argumentParts: ['Xmx', 'server'] }));
    assert.ok(!matches({ argumentParts: ['Xmx', 'client'] }));
    assert.ok(matches({ pidFile: '/x' }, { pidInFile: 7 }));
    assert.ok(!matches({ pidFile: '/x' }, {}));
    assert.ok(matches({ listens: 1 }, { listeners: new Set([7]) }));
    assert.ok(!matches({ listens: 1, mainClass: 'kafka.Kafka' }, { listeners: new Set([8]) }));
    const editor = { pid: 8, argv: ['vi', 'kafka.Kafka'] };
    assert.ok(!matchesProcess({ mainClass: 'kafka.Kafka' }, editor, {}));
    assert.ok(!matchesProcess({ glob: '*' }, { pid: 2, argv: [] }, {}));
  });
});
