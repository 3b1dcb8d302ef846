import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createShared, openMemory } from '../../../src/host/fuse/memory.ts';
import { writePublished } from '../../../src/host/fuse/published.ts';

/** Reads as fast as it can; what it reads must be whole, and belong to its epoch. */
const READER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { urls, shared } = workerData;
  (async () => {
    const { openMemory } = await import(urls.memory);
    const { readPublished } = await import(urls.published);
    const memory = openMemory(shared);
    let reads = 0;
    for (let last = 0; last < workerData.epochs; reads++) {
      const { epoch, published } = readPublished(memory);
      if (published.faults.length !== (epoch % 2) * workerData.many) throw new Error('torn');
      last = epoch;
      if (reads === 0) parentPort.postMessage('reading');
    }
    parentPort.postMessage(reads);
  })();`;

test('rules that are read while the next ones are written are whole', async () => {
  const shared = createShared({ nodes: 1024, files: 64 });
  const memory = openMemory(shared);
  const many = 500;
  const epochs = 2000;
  const faults = Array.from({ length: many }, (_, place) => ({
    fault: { id: `f${place}`, fault: { kind: 'stall' as const } },
    seed: 0,
    place,
  }));
  writePublished(memory, { faults, tracks: false });
  const url = (name: string): string =>
    new URL(`../../../src/host/fuse/${name}.ts`, import.meta.url).href;
  const urls = { memory: url('memory'), published: url('published') };
  const readers = [0, 1].map(
    () => new Worker(READER, { eval: true, workerData: { urls, shared, epochs, many } }),
  );
  await Promise.all(readers.map((reader) => once(reader, 'message')));
  const ended = Promise.all(readers.map((reader) => once(reader, 'message')));
  for (let epoch = 2; epoch <= epochs; epoch++) {
    const all = epoch % 2 === 1 ? faults : [];
    assert.equal(writePublished(memory, { faults: all, tracks: false }), epoch);
  }
  for (const [reads] of await ended) assert.ok((reads as number) > 0);
});
