import { randomBytes } from 'node:crypto';
import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../core/base/failure.ts';
import {
  holdsAll,
  readListedTable,
  readOurTables,
  writeDelete,
  writeDropTable,
  writeList,
  writeRefresh,
  type ListedTable,
} from '../../core/codec/nft.ts';
import type { DropTable } from '../../core/model/act.ts';
import type { Leftover } from './linux.ts';
import { exec } from '../exec.ts';
import { openLibNftables, type LibNftables, type NftRun } from './libnftables.ts';

const MISSING = 'No such file or directory';

/** The drop tables of this network namespace. */
export class Nft {
  readonly #library: LibNftables | null;
  readonly #scratchDir: string;

  /**
   * @param scratchDir where command files are written if the library is missing; best a tmpfs.
   * @param library null: spawn nft for everything.
   */
  constructor(scratchDir: string, library: LibNftables | null = openLibNftables() ?? null) {
    this.#library = library;
    this.#scratchDir = scratchDir;
  }

  /** How changes are made: for the capability's `why`. */
  get through(): string {
    return this.#library ? 'libnftables' : 'the nft program';
  }

  async drop(drop: DropTable): Promise<void> {
    await this.#change(writeDropTable(drop));
    const listed = await this.#list(drop.table);
    if (!listed || !holdsAll(drop, listed)) {
      throw new Failure('nft-not-there', `table ${drop.table} is not there after its creation`, {
        definite: false,
      });
    }
  }

  async refresh(drop: DropTable): Promise<void> {
    const run = await this.#run(writeRefresh(drop), false);
    if (run.ok) return;
    if (!run.error.includes(MISSING)) throw rejected(run);
    if (!(await this.#list(drop.table))) return;
    throw new Failure('expired', `the kernel has expired the elements of table ${drop.table}`, {
      definite: true,
    });
  }

  async delete(table: string): Promise<void> {
    await this.#change(writeDelete(table));
  }

  /** Whether the table is there and the kernel has expired nothing of it. */
  async holds(drop: DropTable): Promise<boolean> {
    const listed = await this.#list(drop.table);
    return listed !== undefined && holdsAll(drop, listed);
  }

  async exists(table: string): Promise<boolean> {
    return (await this.#tables()).includes(table);
  }

  async counters(table: string): Promise<Record<string, number>> {
    return (await this.#list(table))?.packets ?? {};
  }

  async leftovers(): Promise<Leftover[]> {
    const leftovers: Leftover[] = [];
    for (const table of await this.#tables()) {
      const faultId = (await this.#list(table))?.faultId;
      const leftover: Leftover = {
        says: `nft table inet ${table}`,
        remove: { act: 'nft.delete', table },
      };
      leftovers.push(faultId === undefined ? leftover : { ...leftover, faultId });
    }
    return leftovers;
  }

  async #tables(): Promise<string[]> {
    const run = await this.#run('list tables inet\n', true);
    if (!run.ok) throw rejected(run);
    return readOurTables(run.output);
  }

  /** Undefined where there is no such table. */
  async #list(table: string): Promise<ListedTable | undefined> {
    const run = await this.#run(writeList(table), true);
    if (run.ok) return readListedTable(run.output);
    if (run.error.includes(MISSING)) return undefined;
    throw rejected(run);
  }

  async #change(commands: string): Promise<void> {
    const run = await this.#run(commands, false);
    if (!run.ok) throw rejected(run);
  }

  async #run(commands: string, json: boolean): Promise<NftRun> {
    if (this.#library) return this.#library.run(commands, json);
    // A file, not standard input: nft opens /dev/stdin by name, which a socket does not allow.
    const file = join(this.#scratchDir, `nft-${randomBytes(8).toString('hex')}`);
    writeFileSync(file, commands, { mode: 0o600, flag: 'wx' });
    try {
      const argv = ['nft', ...(json ? ['-j'] : []), '-f', file];
      const { stdout } = await exec(argv, {
        outputMax: 64 * 1024 * 1024,
        // Its error messages are read: not in the language of this machine.
        env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      });
      return { ok: true, output: stdout, error: '' };
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'exited') throw error;
      return { ok: false, output: '', error: String(error.context['stderr']) };
    } finally {
      unlinkSync(file);
    }
  }
}

/** A transaction is done whole or not at all: a rejected one certainly did not happen. */
function rejected(run: NftRun): Failure {
  const reason = run.error.trim().split('\n').slice(0, 4).join('\n');
  return new Failure('nft-rejected', `nftables refused: ${reason}`, { definite: true });
}
