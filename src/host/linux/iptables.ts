import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assertOurs, groupsOf, holdsAll, type ListedTable } from '../../core/codec/netfilter.ts';
import {
  hasChain,
  isHooked,
  readChains,
  readOurChains,
  setName,
  setsNamed,
  tablesOfSets,
  writeChain,
  writeRemoval,
  writeSets,
} from '../../core/codec/iptables.ts';
import type { RuleTable } from '../../core/model/act-netfilter.ts';
import { exec } from '../exec.ts';
import { withCommands } from './command-file.ts';
import type { Leftover } from './linux.ts';
import { expired, type RuleBackend } from './rule-backend.ts';

const OUTPUT_MAX = 64 * 1024 * 1024;
const FAMILIES = [4, 6] as const;

const onPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((place) => existsSync(join(place, program)));

/** 'iptables', 'iptables-nft' or 'iptables-legacy': the first that is installed. */
export function findIptables(): string | undefined {
  return ['iptables', 'iptables-nft', 'iptables-legacy'].find(onPath);
}

/** The program of a family and a purpose: ('iptables-legacy', 6, '-save') is 'ip6tables-legacy-save'. */
export function programOf(base: string, family: 4 | 6, purpose: '-save' | '-restore'): string {
  return `${family === 4 ? base : base.replace('iptables', 'ip6tables')}${purpose}`;
}

/** Our iptables chains and ipset sets of this network namespace. */
export class Iptables implements RuleBackend {
  readonly #base: string | undefined;
  readonly #hasSets = onPath('ipset');
  readonly #scratchDir: string;

  /** @param base 'iptables', 'iptables-nft' or 'iptables-legacy'. */
  constructor(scratchDir: string, base: string | undefined = findIptables()) {
    this.#base = base;
    this.#scratchDir = scratchDir;
  }

  async apply(rules: RuleTable, bitten: ReadonlySet<string>): Promise<void> {
    const withSets = rules.backend === 'iptables';
    const there = rules.peers.filter(({ name }) => bitten.has(name));
    const wanted = withSets ? rules : { ...rules, peers: there };
    const [saved] = await Promise.all([
      this.saveBoth(),
      withSets ? this.ipset(writeSets(rules, bitten)) : undefined,
    ]);
    for (const [index, family] of FAMILIES.entries()) {
      const missing = !isHooked(rules.table, saved[index] ?? '');
      await this.restore(family, writeChain(wanted, family, missing));
    }
  }

  async refresh(rules: RuleTable, bitten: ReadonlySet<string>): Promise<void> {
    if (rules.backend === 'iptables-plain') return;
    const names = setsNamed(rules.table, await this.#setNames());
    if (names.length === 0) return;
    const living = groupsOf(rules).map((group) => setName(rules.table, group.name));
    const listed = readChains(rules, [], await this.#saveSets(living));
    if (!holdsAll(rules, listed, bitten)) throw expired(rules);
    await this.ipset(writeSets(rules, bitten));
  }

  async bite(rules: RuleTable, bitten: ReadonlySet<string>): Promise<void> {
    if (rules.backend === 'iptables') await this.ipset(writeSets(rules, bitten));
    else await this.apply(rules, bitten);
  }

  async delete(table: string): Promise<void> {
    assertOurs(table);
    const [saved, names] = await Promise.all([this.saveBoth(), this.#setNames()]);
    for (const [index, family] of FAMILIES.entries()) {
      const removal = writeRemoval(table, saved[index] ?? '');
      if (removal !== '') await this.restore(family, removal);
    }
    const sets = setsNamed(table, names);
    if (sets.length > 0) await this.ipset(sets.map((name) => `destroy ${name}\n`).join(''));
  }

  async list(table: string): Promise<ListedTable | undefined> {
    const [saved, names] = await Promise.all([this.saveBoth(), this.#setNames()]);
    const sets = setsNamed(table, names);
    if (sets.length === 0 && !saved.some((text) => hasChain(table, text))) return undefined;
    return readChains({ table }, saved, await this.#saveSets(sets));
  }

  async leftovers(): Promise<Leftover[]> {
    const saved = (await this.saveBoth()).join('');
    const tables = new Set([...readOurChains(saved), ...tablesOfSets(await this.#setNames())]);
    return [...tables].map((table) => {
      const { faultId } = readChains({ table }, [saved], '');
      const leftover: Leftover = {
        says: `iptables chain ${table}`,
        remove: { act: 'netfilter.delete', backend: 'iptables', table },
      };
      return faultId === undefined ? leftover : { ...leftover, faultId };
    });
  }

  /** All rules of a family with their counters; '' where there is no such program. */
  async #save(family: 4 | 6): Promise<string> {
    if (this.#base === undefined) return '';
    const argv = [programOf(this.#base, family, '-save'), '-c'];
    return (await exec(argv, { outputMax: OUTPUT_MAX })).stdout;
  }

  /** By family: IPv4, IPv6. */
  saveBoth(): Promise<string[]> {
    return Promise.all(FAMILIES.map((family) => this.#save(family)));
  }

  /** Hands text to iptables-restore. @throws Failure */
  async restore(family: 4 | 6, text: string): Promise<void> {
    const program = programOf(this.#base ?? 'iptables', family, '-restore');
    const argv = [program, '--wait', '5', '--noflush'];
    await withCommands(this.#scratchDir, text, (input) => exec(argv, { input }));
  }

  async #setNames(): Promise<string> {
    if (!this.#hasSets) return '';
    return (await exec(['ipset', 'list', '-name'], { outputMax: OUTPUT_MAX })).stdout;
  }

  /** The entries of sets; one by one where they are few, not to read everybody's. */
  async #saveSets(names: readonly string[]): Promise<string> {
    if (names.length > 4) return (await exec(['ipset', 'save'], { outputMax: OUTPUT_MAX })).stdout;
    const texts = names.map((name) => exec(['ipset', 'save', name], { outputMax: OUTPUT_MAX }));
    return (await Promise.all(texts)).map(({ stdout }) => stdout).join('');
  }

  /** Hands commands to ipset. @throws Failure */
  async ipset(text: string): Promise<void> {
    await withCommands(this.#scratchDir, text, (input) => exec(['ipset', 'restore'], { input }));
  }
}
