import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STANDARD = { kind: 'noqueue', handle: '0:', dev: 'eth0', root: true, options: {} };

/** A directory with a `tc` that has netem: recorded-tc.ts, for one machine with the device eth0. */
export class TcRecorder {
  readonly directory = mkdtempSync(join(tmpdir(), 'faultline-tc-'));
  readonly #file = join(this.directory, 'qdiscs.json');
  readonly #log = join(this.directory, 'log');

  /** @param works else it refuses everything: a machine that can't shape. */
  constructor(works = true) {
    const script = join(import.meta.dirname, 'recorded-tc.ts');
    const program = join(this.directory, 'tc');
    const call = works ? `exec ${process.execPath} ${script} ${this.directory} "$@"` : 'exit 1';
    writeFileSync(program, `#!/bin/sh\n${call}\n`);
    chmodSync(program, 0o755);
    writeFileSync(this.#log, '');
    this.keep(STANDARD);
  }

  /** A PATH on which it is found first. */
  get path(): string {
    return `${this.directory}:${process.env['PATH'] ?? ''}`;
  }

  keep(...qdiscs: object[]): void {
    writeFileSync(this.#file, JSON.stringify({ qdiscs, classes: [], standard: [STANDARD] }));
  }

  qdiscs(): object[] {
    return (JSON.parse(readFileSync(this.#file, 'utf8')) as { qdiscs: object[] }).qdiscs;
  }

  /** What was told since last time. */
  told(): string[] {
    const lines = readFileSync(this.#log, 'utf8').trim().split('\n');
    writeFileSync(this.#log, '');
    return lines.filter((line) => line !== '');
  }

  close(): void {
    rmSync(this.directory, { recursive: true });
  }
}
