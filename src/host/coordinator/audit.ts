import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../http/tokens.ts';
import type { CoordinatorLogger } from './options.ts';

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
  readonly #logger: Pick<CoordinatorLogger, 'error'>;
  /** The last line may have been cut short: the next one begins after it. */
  #isTorn = false;

  /** @param directory the state directory; the file is `audit.jsonl` in it, 0600. */
  constructor(directory: string, logger: Pick<CoordinatorLogger, 'error'>) {
    this.#file = openSync(join(directory, 'audit.jsonl'), 'a', 0o600);
    this.#logger = logger;
  }

  write(identity: Identity, entry: Omit<AuditEntry, 'who'>): void {
    const line = { at: new Date().toISOString(), who: identity.name, ...entry };
    const bytes = Buffer.from(`${this.#isTorn ? '\n' : ''}${JSON.stringify(line)}\n`);
    try {
      this.#isTorn = writeSync(this.#file, bytes) < bytes.length;
    } catch (error) {
      // What was asked for has been done: a full disk must not turn that, healing above all, into a no.
      this.#isTorn = true;
      this.#logger.error({ err: error }, 'a line of the audit log could not be written');
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}
