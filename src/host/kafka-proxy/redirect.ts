import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import {
  writeRedirectRefresh,
  writeRedirectStop,
  writeRedirectTable,
} from '../../core/codec/nft-redirect.ts';
import { writeDelete } from '../../core/codec/nft.ts';
import type { RedirectTable } from '../../core/model/act-proxy.ts';
import { exec } from '../exec.ts';
import { openLibNftables } from '../linux/libnftables.ts';

const LISTED_MAX = 4 * 1024 * 1024;

/** The table that sends connections to a proxy, in the network namespace of this process. */
export class Redirect {
  readonly #library = openLibNftables();

  /** @param to the proxy's port. @throws Failure */
  async make(redirect: RedirectTable, to: number): Promise<void> {
    await this.#change(writeRedirectTable(redirect, to));
  }

  /** @throws Failure where an element has expired or the table is gone. */
  async refresh(redirect: RedirectTable): Promise<void> {
    await this.#change(writeRedirectRefresh(redirect));
  }

  /** New connections pass the proxy by; those it has stay with it. @throws Failure without a table. */
  async stop(table: string): Promise<void> {
    await this.#change(writeRedirectStop(table));
  }

  /** Only once no connection runs through the proxy any more: see writeRedirectStop. */
  async remove(table: string): Promise<void> {
    await this.#change(writeDelete(table));
  }

  async exists(table: string): Promise<boolean> {
    const { stdout } = await exec(['nft', 'list', 'tables', 'inet'], { outputMax: LISTED_MAX });
    return stdout.split('\n').includes(`table inet ${table}`);
  }

  async #change(commands: string): Promise<void> {
    if (this.#library) {
      const run = this.#library.run(commands, false);
      if (run.ok) return;
      throw new Failure('nft-rejected', `nftables refused: ${run.error.trim()}`, {
        definite: true,
      });
    }
    const file = join(tmpdir(), `faultline-nft-${randomBytes(8).toString('hex')}`);
    writeFileSync(file, commands, { mode: 0o600, flag: 'wx' });
    try {
      await exec(['nft', '-f', file]);
    } finally {
      rmSync(file);
    }
  }
}

/**
 * Resets the open connections of some ports (ss -K, ss(8)), so that clients come back through the
 * proxy. @returns why that could not be done, where it could not.
 */
export async function resetConnections(ports: readonly number[]): Promise<string | undefined> {
  const filter = ports.flatMap((port) => ['or', 'sport', '=', `:${port}`]).slice(1);
  try {
    await exec(['ss', '-K', '-t', '-n', 'state', 'established', '(', ...filter, ')']);
    return undefined;
  } catch (error) {
    return `open connections stay as they are: ${reasonOf(error)}`;
  }
}
