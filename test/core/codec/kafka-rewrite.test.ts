import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  readResponse,
  writeResponse,
  type RequestHead,
} from '../../../src/core/codec/kafka/frame.ts';
import {
  capVersions,
  failTopics,
  rewriteAddresses,
  topicNames,
  truncateFetch,
  type NamedBroker,
} from '../../../src/core/codec/kafka/rewrite.ts';
import type { Struct } from '../../../src/core/codec/kafka/value.ts';

suite('kafka answers changed on their way', () => {
  const head = (apiKey: number, version: number): RequestHead => ({
    apiKey,
    version,
    correlationId: 1,
    clientId: null,
    bodyAt: 0,
  });
  const through = (which: RequestHead, body: Struct): Struct =>
    readResponse(writeResponse(which, body), which);

  test('every broker that a response names gets another address', () => {
    const move = ({ id, port }: NamedBroker): { host: string; port: number } => ({
      host: 'proxy',
      port: port + 1000 + Math.max(0, id),
    });
    const broker = { nodeId: 2, host: 'b2', port: 9092, rack: null };
    const metadata = through(head(3, 12), { brokers: [broker], topics: [] });
    assert.equal(rewriteAddresses(metadata, move), 1);
    assert.deepEqual((metadata['brokers'] as Struct[])[0], {
      ...broker,
      host: 'proxy',
      port: 10_094,
    });
    const coordinator = through(head(10, 3), { nodeId: 1, host: 'b1', port: 9092 });
    assert.equal(rewriteAddresses(coordinator, move), 1);
    const produce = through(head(0, 11), { responses: [], nodeEndpoints: [broker] });
    assert.equal(rewriteAddresses(produce, move), 1);
    assert.equal(
      rewriteAddresses(through(head(10, 3), { errorCode: 15, host: '', port: -1 }), move),
      0,
    );
  });

  test('versions are lowered to those that can be rewritten, and no others', () => {
    const apiKeys = [0, 1, 3, 26].map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 50 }));
    const versions = through(head(18, 3), { apiKeys });
    capVersions(versions);
    assert.deepEqual(
      (versions['apiKeys'] as Struct[]).map((one) => one['maxVersion']),
      [13, 15, 13, 50],
    );
  });

  test('a fetch is cut, topics fail, names are learned', () => {
    const records = new Uint8Array(100);
    const fetch = through(head(1, 12), {
      responses: [{ topic: 'orders', partitions: [{ partitionIndex: 0, records }] }],
    });
    assert.equal(truncateFetch(fetch, { numerator: 1, denominator: 4 }), 75);
    const [topic = {}] = through(head(1, 12), fetch)['responses'] as Struct[];
    const [part = {}] = topic['partitions'] as Struct[];
    assert.equal((part['records'] as Uint8Array).length, 25);
    const topicId = 'cd'.repeat(16);
    const topics: Struct[] = [{ name: 'orders', topicId }, { name: 'other' }];
    const metadata = through(head(3, 12), { brokers: [], topics });
    failTopics(metadata, 5, (name) => name === 'orders');
    assert.deepEqual(
      (metadata['topics'] as Struct[]).map((one) => one['errorCode']),
      [5, 0],
    );
    assert.equal(topicNames(metadata).get(topicId), 'orders');
  });
});
