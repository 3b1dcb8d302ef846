import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hsperfFile, listedCommand } from '../../../src/core/codec/hsperf.ts';

/** Reads a file as a monitor of the JDK does: by the offsets that it names. */
function textsOf(file: Uint8Array): Record<string, string> {
  const view = new DataView(file.buffer);
  const textAt = (at: number): string =>
    new TextDecoder().decode(file.subarray(at, file.indexOf(0, at)));
  const texts: Record<string, string> = {};
  let at = view.getUint32(24, true);
  for (let left = view.getUint32(28, true); left > 0; left--) {
    const data = at + view.getUint32(at + 16, true);
    texts[textAt(at + view.getUint32(at + 4, true))] = textAt(data);
    assert.equal(file[data + view.getUint32(at + 8, true) - 1], 0);
    at += view.getUint32(at, true);
    assert.equal(at % 8, 0);
  }
  assert.equal(at, view.getUint32(8, true), 'used');
  return texts;
}

test('what jcmd looks at of a listed process', () => {
  const command = 'org.apache.kafka.trogdor.agent.Agent --node-name n1';
  const file = listedCommand(command);
  assert.deepEqual([...file.subarray(0, 8)], [0xca, 0xfe, 0xc0, 0xc0, 1, 2, 0, 1]);
  assert.equal(file.length % 65_536, 0, 'it is mapped: whole pages of any size');
  const texts = textsOf(file);
  assert.equal(texts['sun.rt.javaCommand'], command);
  assert.match(texts['sun.rt.jvmCapabilities'] ?? '', /^1[01]{63}$/);
});

test('texts of every length, in bytes of UTF-8, and more than a page of them', () => {
  const texts = Array.from({ length: 40 }, (_, n) => [`name${n}`, `${'x'.repeat(n)}ä`] as const);
  assert.deepEqual(textsOf(hsperfFile(texts)), Object.fromEntries(texts));
  const long = [['long', 'y'.repeat(70_000)]] as const;
  assert.deepEqual(textsOf(hsperfFile(long)), Object.fromEntries(long));
});
