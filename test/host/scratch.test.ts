import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sweepScratch } from '../../src/host/scratch.ts';

test('what killed agents left is swept, what is in use or of others stays', () => {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-scratch-'));
  try {
    const nowMs = Date.parse('2026-01-01T12:00:00Z');
    const make = (name: string, minutesAgo: number): void => {
      const path = join(directory, name);
      if (name.startsWith('needs-')) mkdirSync(path);
      writeFileSync(name.startsWith('needs-') ? join(path, 'trial.nft') : path, 'x');
      const at = new Date(nowMs - minutesAgo * 60_000);
      utimesSync(path, at, at);
    };
    make('needs-old', 11);
    make('needs-new', 9);
    make('ending-faultline-1', 999);
    sweepScratch(directory, nowMs);
    assert.deepEqual(readdirSync(directory).sort(), ['ending-faultline-1', 'needs-new']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
