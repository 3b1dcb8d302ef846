import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearMiss } from '../../../src/core/base/near-miss.ts';

const KINDS = ['network.partition', 'process.kill', 'cpu.load'];

test('a slip of the fingers finds the name that was meant', () => {
  assert.equal(nearMiss('network.partion', KINDS), 'network.partition');
  assert.equal(nearMiss('Process.Kill', KINDS), 'process.kill');
  assert.equal(nearMiss('cpuload', KINDS), 'cpu.load');
});

test('a word that is like none of them finds nothing', () => {
  assert.equal(nearMiss('xylophone', KINDS), undefined);
  assert.equal(nearMiss('', KINDS), undefined);
  assert.equal(nearMiss('x'.repeat(200), KINDS), undefined);
});
