import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nameOffsets, parseHeader } from '../../../src/core/codec/fuse.ts';
import { negotiate, OUR_MINOR } from '../../../src/core/codec/fuse/init.ts';
import * as messages from '../../../src/core/codec/fuse/messages.ts';
import {
  parse,
  print,
  type Struct,
  type Values,
  type Width,
} from '../../../src/core/codec/fuse/struct.ts';

const SEED = 20_261;

/** Sizes as linux/fuse.h has them. */
const SIZES: Record<string, number> = {
  InHeader: 40,
  OutHeader: 16,
  Attr: 88,
  EntryOut: 40,
  AttrOut: 16,
  InitIn: 16,
  InitOut: 64,
  ForgetIn: 8,
  ForgetOne: 16,
  BatchForgetIn: 8,
  GetattrIn: 16,
  SetattrIn: 88,
  MknodIn: 16,
  MkdirIn: 8,
  RenameIn: 8,
  Rename2In: 16,
  LinkIn: 8,
  OpenIn: 8,
  CreateIn: 16,
  OpenOut: 16,
  ReleaseIn: 24,
  FlushIn: 24,
  ReadIn: 40,
  WriteIn: 40,
  WriteOut: 8,
  StatfsOut: 80,
  FsyncIn: 16,
  SetxattrIn: 8,
  GetxattrIn: 8,
  GetxattrOut: 8,
  AccessIn: 8,
  InterruptIn: 8,
  FallocateIn: 32,
  LseekIn: 24,
  LseekOut: 8,
  CopyFileRangeIn: 56,
  IoctlIn: 32,
  Dirent: 24,
  NotifyInvalInode: 24,
  NotifyInvalEntry: 16,
  InitInExt: 4,
};

const VALUES: Record<Width, fc.Arbitrary<number | bigint>> = {
  u16: fc.integer({ min: 0, max: 0xffff }),
  u32: fc.integer({ min: 0, max: 0xffffffff }),
  i32: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  u64: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
  i64: fc.bigInt({ min: -0x8000000000000000n, max: 0x7fffffffffffffffn }),
};

test('every struct has the size of the C one, and reads back what it printed', () => {
  assert.deepEqual(Object.keys(messages).sort(), Object.keys(SIZES).sort());
  for (const [name, struct] of Object.entries(messages) as [string, Struct][]) {
    assert.equal(struct.size, SIZES[name], name);
    const values = fc.record(
      Object.fromEntries(Object.entries(struct.fields).map(([key, width]) => [key, VALUES[width]])),
    );
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 9 }), (value, offset) => {
        const bytes = new DataView(new ArrayBuffer(struct.size + offset));
        print(struct, value as Partial<Values<Struct['fields']>>, bytes, offset);
        assert.deepEqual({ ...parse(struct, bytes, offset) }, { ...value });
        assert.equal(parse(struct, bytes, offset + 1), undefined);
      }),
      { seed: SEED, numRuns: 50 },
    );
  }
});

test('a header that lies about its length is none', () => {
  const bytes = new DataView(new ArrayBuffer(64));
  print(messages.InHeader, { len: 48, opcode: 1 }, bytes);
  assert.equal(parseHeader(bytes, 48)?.opcode, 1);
  for (const length of [0, 39, 47, 49, 65]) assert.equal(parseHeader(bytes, length), undefined);
});

test('names end with a zero inside the request', () => {
  const bytes = Buffer.from('ab\0c\0d');
  assert.deepEqual(nameOffsets(bytes, 0, 5, 2), [0, 3]);
  assert.equal(nameOffsets(bytes, 0, 4, 2), undefined);
  assert.equal(nameOffsets(bytes, 2, 5, 1), undefined);
});

test('the protocol is agreed on from 5.4 on, without flags the kernel did not offer', () => {
  for (const minor of [31, 32, 34, 38, 39, 45, 60]) {
    const agreed = negotiate(
      { major: 7, minor, maxReadahead: 0, flags: 0x00ff_ffff },
      { pageBytes: 4096 },
    );
    assert.ok(agreed.ok);
    assert.equal(agreed.value.minor, Math.min(minor, OUR_MINOR));
    assert.equal((agreed.value.flags ?? 0) & ~0x00ff_ffff, 0);
    assert.equal(agreed.value.maxPages, 256);
  }
  assert.equal(
    negotiate({ major: 7, minor: 30, maxReadahead: 0, flags: 0 }, { pageBytes: 4096 }).ok,
    false,
  );
});
