import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labUpCommand, otherThanAsked } from '../../../src/core/model/lab-layout.ts';

test('what a scenario names must be so, what it leaves out may be anything', () => {
  const lab = { brokers: 3, controllers: 0, kafka: '4.1.0', disks: 1 };
  assert.deepEqual(otherThanAsked({}, lab), []);
  assert.deepEqual(otherThanAsked({ brokers: 3, disks: 1 }, lab), []);
  assert.deepEqual(otherThanAsked({ brokers: 3, kafka: '3.6.1', disks: 2 }, lab), [
    'kafka: 4.1.0, not 3.6.1',
    'disks: 1, not 2',
  ]);
  assert.deepEqual(otherThanAsked({ disks: 2 }, { ...lab, disks: undefined }), []);
});

test('the command that brings it up', () => {
  assert.equal(labUpCommand({ brokers: 3, disks: 2 }), 'faultline lab up --brokers 3 --disks 2');
});
