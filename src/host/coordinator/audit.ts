import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../http/tokens.ts';

/** One line of audit.jsonl: who did what, when, with what result. */
export interface AuditEntry {
  who: string;
  remote: string;
  method: string;
  path: string;
  query: Readonly<Record<string, string>>;
  /** What was asked, where it matters: the fault's request, the override's reason. */
  what?: unknown;
  status: number;
  detail?: string;
}

/** Append-only log of everything that changes something. */
export class AuditLog {
  readonly #file: number;

  /** @param directory the state directory; the file is `audit.jsonl` in it, 0600. */
  constructor(directory: string) {
    this.#file = openSync(join(directory, 'audit.jsonl'), 'a', 0o600);
  }

  write(identity: Identity, entry: Omit<AuditEntry, 'who'>): void {
    const line = { at: new Date().toISOString(), who: identity.name, ...entry };
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}
