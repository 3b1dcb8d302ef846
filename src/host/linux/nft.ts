import { Failure } from '../../core/base/failure.ts';
import type { ListedTable } from '../../core/codec/netfilter.ts';
import {
  readListedTable,
  readOurTables,
  writeBitten,
  writeDelete,
  writeList,
  writeRefresh,
  writeTable,
} from '../../core/codec/nft.ts';
import { nameOfTable, type RuleTable } from '../../core/model/act-netfilter.ts';
import { exec } from '../exec.ts';
import { withCommands } from './command-file.ts';
import { openLibNftables, type LibNftables, type NftRun } from './libnftables.ts';
import { writeListInput } from '../../core/codec/nft-steer.ts';
import type { Leftover } from './linux.ts';
import { expired, type RuleBackend } from './rule-backend.ts';

const MISSING = 'No such file or directory';

/** Our nftables tables of this network namespace. */
export class Nft implements RuleBackend {
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

  async apply(rules: RuleTable, bitten: ReadonlySet<string>): Promise<void> {
    await this.change(writeTable(rules, bitten));
  }

  async refresh(rules: RuleTable, bitten: ReadonlySet<string>): Promise<void> {
    const run = await this.run(writeRefresh(rules, bitten), false);
    if (run.ok) return;
    if (!run.error.includes(MISSING)) throw rejected(run);
    if (await this.list(rules.table)) throw expired(rules);
  }

  async bite(rules: RuleTable, bitten: ReadonlySet<string>): Promise<void> {
    await this.change(writeBitten(rules, bitten));
  }

  async delete(table: string): Promise<void> {
    await this.change(writeDelete(table));
  }

  async exists(table: string): Promise<boolean> {
    const run = await this.run('list tables inet\n', true);
    if (!run.ok) throw rejected(run);
    return readOurTables(run.output).includes(table);
  }

  /** Undefined where there is no such table. */
  async list(table: string): Promise<ListedTable | undefined> {
    const run = await this.run(writeList(table), true);
    if (run.ok) return readListedTable(run.output);
    if (run.error.includes(MISSING)) return undefined;
    throw rejected(run);
  }

  async leftovers(): Promise<Leftover[]> {
    const run = await this.run('list tables inet\n', true).catch((error: unknown) => {
      // Without nft nobody has made a table; what iptables has made is still to be found.
      if (error instanceof Failure && error.code === 'not-started') return undefined;
      throw error;
    });
    if (run === undefined) return [];
    if (!run.ok) throw rejected(run);
    const leftovers: Leftover[] = [];
    for (const table of readOurTables(run.output)) {
      // Not the whole table: libxtables complains aloud of targets in it that are not nft's own.
      const rules = await this.run(writeListInput(table), true);
      const faultId = rules.ok ? readListedTable(rules.output).faultId : undefined;
      const leftover: Leftover = {
        says: nameOfTable('nft', table),
        remove: { act: 'netfilter.delete', backend: 'nft', table },
      };
      leftovers.push(faultId === undefined ? leftover : { ...leftover, faultId });
    }
    return leftovers;
  }

  /** Commands as one transaction. @throws Failure: none of them was done. */
  async change(commands: string): Promise<void> {
    const run = await this.run(commands, false);
    if (!run.ok) throw rejected(run);
  }

  /** Runs commands as one transaction. @param json listings as JSON. */
  async run(commands: string, json: boolean): Promise<NftRun> {
    if (this.#library) return this.#library.run(commands, json);
    const argv = ['nft', ...(json ? ['-j'] : []), '-f', '-'];
    try {
      const { stdout } = await withCommands(this.#scratchDir, commands, (input) =>
        exec(argv, {
          input,
          outputMax: 64 * 1024 * 1024,
          // Its error messages are read: not in the language of this machine.
          env: { PATH: process.env['PATH'], LC_ALL: 'C' },
        }),
      );
      return { ok: true, output: stdout, error: '' };
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'exited') throw error;
      return { ok: false, output: '', error: String(error.context['stderr']) };
    }
  }
}

/** A transaction is done whole or not at all: a rejected one certainly did not happen. */
export function rejected(run: NftRun): Failure {
  const reason = run.error.trim().split('\n').slice(0, 4).join('\n');
  return new Failure('nft-rejected', `nftables refused: ${reason}`, { definite: true });
}
