import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { protocolErrorsCodesById } from '@platformatic/kafka';
import { Random } from '../../../src/core/base/random.ts';
import { API_NAMES } from '../../../src/core/codec/kafka/api-keys.ts';
import { CodecError, Reader, textToUtf8, Writer } from '../../../src/core/codec/kafka/bytes.ts';
import { carriesCode, errorAnswer } from '../../../src/core/codec/kafka/error-answer.ts';
import { errorCode } from '../../../src/core/codec/kafka/error-codes.ts';
import {
  knowsResponse,
  readRequestBody,
  readRequestHead,
  readResponse,
  writeRequest,
  writeResponse,
} from '../../../src/core/codec/kafka/frame.ts';
import { MESSAGE_TABLE } from '../../../src/core/codec/kafka/message-table.ts';
import {
  messageOf,
  within,
  type Field,
  type Message,
} from '../../../src/core/codec/kafka/message.ts';
import {
  readBody,
  writeBody,
  type Struct,
  type Value,
} from '../../../src/core/codec/kafka/value.ts';
import { kafkaDirectory } from '../../../src/host/lab/kafka-cache.ts';
import { messageTable } from '../../../tools/kafka/message-lines.ts';
import { lacks, ROOT } from '../../support/needs.ts';

const ALL: { message: Message; kind: 'request' | 'response' }[] = API_NAMES.flatMap((_, key) =>
  (['request', 'response'] as const).flatMap((kind) => {
    const message = messageOf(key, kind);
    return message ? [{ message, kind }] : [];
  }),
);

/** Any value that a field may have in a version. */
function someValue(random: Random, field: Field, version: number, depth = 0): Value {
  const nullable = within(field.nullable, version);
  if (nullable && random.below(4) === 0) return null;
  if (field.array) {
    const one = { ...field, array: false, nullable: { from: 1, to: 0 } };
    return Array.from({ length: random.below(3) }, () => someValue(random, one, version, depth));
  }
  if (typeof field.type !== 'string') return someStruct(random, field.type, version, depth + 1);
  switch (field.type) {
    case 'bool':
      return random.below(2) === 1;
    case 'str':
      return random.pick(['', 'orders', 'Grüße', 'x'.repeat(200)]);
    case 'uuid':
      return random.next().toString(16).padStart(32, '0');
    case 'bytes':
    case 'records':
      return Uint8Array.from({ length: random.below(40) }, () => random.below(256));
    case 'i64':
      return BigInt(random.next()) - 5n;
    case 'i8':
      return random.below(100) - 1;
    case 'f64':
      return random.below(100) / 4;
    default:
      return random.below(30_000) - (field.type.startsWith('u') ? 0 : 1);
  }
}

function someStruct(random: Random, fields: readonly Field[], version: number, depth = 0): Struct {
  return Object.fromEntries(
    fields
      .filter((field) => within(field.versions, version))
      .map((field) => [field.name, someValue(random, field, version, depth)]),
  );
}

suite('kafka messages', () => {
  const skip = lacks('kafka-jars');
  test('the table is what the jar of the lab says', { skip }, () => {
    const jar = join(kafkaDirectory(ROOT), 'kafka-clients-4.1.0.jar');
    assert.ok(existsSync(jar));
    assert.deepEqual(MESSAGE_TABLE, messageTable(jar));
  });

  test('names of APIs and errors are those that others use', () => {
    for (const { message } of ALL) assert.equal(API_NAMES[message.apiKey], message.name);
    for (const [code, name] of Object.entries(protocolErrorsCodesById)) {
      if (Number(code) !== 0) assert.equal(errorCode(name), Number(code), name);
    }
    assert.equal(errorCode('NONE'), undefined);
    assert.equal(errorCode('no such'), undefined);
  });

  test('every version of every message reads back as it was written, byte for byte', () => {
    const random = new Random(11);
    for (const { message, kind } of ALL) {
      for (let version = message.versions.from; version <= message.versions.to; version++) {
        const body = someStruct(random, message.fields, version);
        const writer = new Writer();
        writeBody(writer, message, version, body);
        const bytes = Uint8Array.from(writer.done());
        const reader = new Reader(bytes);
        const read = readBody(reader, message, version);
        const where = `${message.name} ${kind} v${version}`;
        assert.equal(reader.left, 0, where);
        for (const [name, value] of Object.entries(body))
          assert.deepEqual(read[name], value, where);
        const again = new Writer();
        writeBody(again, message, version, read);
        assert.deepEqual(again.done(), bytes, where);
      }
    }
  });

  test('tagged fields of a later release survive', () => {
    const heartbeat = messageOf(12, 'response') as Message;
    const bytes = Uint8Array.from([0, 0, 0, 7, 0, 27, 1, 9, 2, 0xca, 0xfe]);
    const body = readBody(new Reader(bytes), heartbeat, 4);
    assert.equal(body['errorCode'], 27);
    const writer = new Writer();
    writeBody(writer, heartbeat, 4, body);
    assert.deepEqual(writer.done(), bytes);
  });

  test('text is UTF-8, and what is none is replaced, not refused', () => {
    for (const text of ['', 'orders', 'Grüße', '日本', '🦊']) {
      const bytes = textToUtf8(text);
      assert.deepEqual(bytes, Uint8Array.from(Buffer.from(text)));
      assert.equal(new Reader(bytes).text(bytes.length), text);
    }
    const broken = Uint8Array.from([0x61, 0xff, 0xc3, 0xf0, 0x9f, 0x62]);
    assert.match(new Reader(broken).text(broken.length), /^a\ufffd+b$/);
  });
});

suite('kafka frames', () => {
  test('a request of a version nobody knows has a head and no body', () => {
    const frame = new Uint8Array(32);
    const view = new DataView(frame.buffer);
    view.setInt32(0, 28);
    view.setInt16(4, 0);
    view.setInt16(6, 99);
    view.setInt32(8, 1234);
    view.setInt16(12, 3);
    frame.set(textToUtf8('app'), 14);
    const head = readRequestHead(frame);
    assert.deepEqual(head, {
      apiKey: 0,
      version: 99,
      correlationId: 1234,
      clientId: 'app',
      bodyAt: undefined,
    });
    assert.equal(readRequestBody(frame, head), undefined);
    assert.equal(knowsResponse(head), false);
  });

  test('requests and responses carry their heads in every version', () => {
    const random = new Random(12);
    for (const { message, kind } of ALL) {
      for (let version = message.versions.from; version <= message.versions.to; version++) {
        const head = { apiKey: message.apiKey, version, correlationId: 77, clientId: 'me' };
        const body = someStruct(random, message.fields, version);
        if (kind === 'request') {
          const frame = writeRequest(head, body);
          const read = readRequestHead(frame);
          assert.deepEqual({ ...read, bodyAt: undefined }, { ...head, bodyAt: undefined });
          assert.deepEqual(
            Object.keys(readRequestBody(frame, read) ?? {}).length > 0,
            Object.keys(body).length > 0,
          );
        } else {
          const frame = writeResponse({ ...head, bodyAt: 0 }, body);
          assert.equal(new DataView(frame.buffer, frame.byteOffset).getInt32(4), 77);
          readResponse(frame, { ...head, bodyAt: 0 });
        }
      }
    }
  });

  test('an error answer is a response of the same version that names what was asked for', () => {
    const random = new Random(13);
    const silent = new Set<string>();
    for (const { message, kind } of ALL) {
      if (kind === 'response') continue;
      for (let version = message.versions.from; version <= message.versions.to; version++) {
        const frame = writeRequest(
          { apiKey: message.apiKey, version, correlationId: 5, clientId: null },
          someStruct(random, message.fields, version),
        );
        const head = readRequestHead(frame);
        const answer = errorAnswer(head, readRequestBody(frame, head) ?? {}, 41);
        assert.ok(answer, message.name);
        const read = readResponse(writeResponse(head, answer), head);
        // Nothing was asked for, so nothing is refused; or the response has no code above its lists.
        if (!carriesCode(read, 41)) silent.add(message.name);
      }
    }
    for (const name of ['EndTxn', 'InitProducerId', 'JoinGroup', 'Heartbeat', 'DescribeCluster']) {
      assert.ok(!silent.has(name), name);
    }
  });

  test('an error answer to a Produce has one code a topic-partition and no offset', () => {
    const topicData = [
      {
        name: 'orders',
        partitionData: [
          { index: 3, records: null },
          { index: 4, records: null },
        ],
      },
    ];
    const frame = writeRequest(
      { apiKey: 0, version: 9, correlationId: 5, clientId: 'p' },
      { transactionalId: null, acks: -1, timeoutMs: 1000, topicData },
    );
    const head = readRequestHead(frame);
    const answer = errorAnswer(head, readRequestBody(frame, head) as Struct, 6) as Struct;
    const read = readResponse(writeResponse(head, answer), head);
    const [topic] = read['responses'] as Struct[];
    assert.equal(topic?.['name'], 'orders');
    const parts = topic?.['partitionResponses'] as Struct[];
    assert.deepEqual(
      parts.map((part) => [part['index'], part['errorCode'], part['baseOffset']]),
      [
        [3, 6, -1n],
        [4, 6, -1n],
      ],
    );
  });
});

suite('kafka codec against nonsense', () => {
  /** Decoding ends, with a value or a CodecError, and never with anything else. */
  function survives(read: () => unknown): void {
    try {
      read();
    } catch (error) {
      assert.ok(error instanceof CodecError, String(error));
    }
  }

  test('truncated, flipped, overlong and random bytes do no harm', () => {
    const random = new Random(14);
    for (const { message } of ALL) {
      for (let round = 0; round < 12; round++) {
        const version = random.between(message.versions.from, message.versions.to);
        const writer = new Writer();
        writeBody(writer, message, version, someStruct(random, message.fields, version));
        const bytes = Uint8Array.from(writer.done());
        const cut = bytes.subarray(0, random.below(bytes.length + 1));
        survives(() => readBody(new Reader(cut), message, version));
        for (let flips = random.between(1, 4); flips > 0 && bytes.length > 0; flips--) {
          bytes[random.below(bytes.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        }
        survives(() => readBody(new Reader(bytes), message, version));
        const noise = Uint8Array.from({ length: random.below(64) }, () => random.below(256));
        survives(() => readBody(new Reader(noise), message, version));
        survives(() => readRequestHead(noise));
      }
    }
  });

  test('a length beyond the bytes is refused before memory is taken for it', () => {
    const metadata = messageOf(3, 'request') as Message;
    assert.throws(
      () => readBody(new Reader(Uint8Array.from([0x7f, 0xff, 0xff, 0xff])), metadata, 1),
      CodecError,
    );
    // 16 MB of empty strings would be a million values and more.
    const groups = messageOf(42, 'request') as Message;
    const many = new Uint8Array(16_000_004);
    new DataView(many.buffer).setInt32(0, 8_000_000);
    assert.throws(() => readBody(new Reader(many), groups, 0), /too many values/);
  });
});
