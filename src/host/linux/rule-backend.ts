import { Failure } from '../../core/base/failure.ts';
import type { ListedTable } from '../../core/codec/netfilter.ts';
import { nameOfTable, type RuleTable } from '../../core/model/act-netfilter.ts';
import type { Leftover } from './linux.ts';

/** A way to make rules. `bitten`: the peers whose addresses stand in their sets. */
export interface RuleBackend {
  /** Makes the rules, in place of those of that name. */
  apply(rules: RuleTable, bitten: ReadonlySet<string>): Promise<void>;
  /** Renews the timeouts; harmless without the table. @throws Failure 'expired' */
  refresh(rules: RuleTable, bitten: ReadonlySet<string>): Promise<void>;
  /** From now on exactly these peers are bitten. */
  bite(rules: RuleTable, bitten: ReadonlySet<string>): Promise<void>;
  delete(table: string): Promise<void>;
  /** Undefined where there is no such table. */
  list(table: string): Promise<ListedTable | undefined>;
  leftovers(): Promise<Leftover[]>;
}

export function expired(rules: RuleTable): Failure {
  const message = `the kernel has expired the elements of ${nameOfTable(rules.backend, rules.table)}`;
  return new Failure('expired', message, { definite: true });
}
