import { Type, type Static, type TObject, type TProperties } from 'typebox';
import type { Problem } from '../../base/problem.ts';

/** Client properties, Kafka's names; values as text. */
export const Conf = Type.Record(Type.String(), Type.String(), { default: {} });

/** What every load of Kafka clients has. */
export const clientFields = {
  bootstrapServers: Type.String({ maxLength: 4096, default: '' }),
  commonClientConf: Conf,
  adminClientConf: Conf,
};

export const PerSecond = Type.Integer({ maximum: 10_000_000, default: 0 });
export const MaxMessages = Type.Integer({ minimum: 0, default: 0 });
export const Threads = Type.Integer({ maximum: 1_000, default: 1 });

/**
 * A load that is there to be a load: it counts and times, and writes no history. Its parameters are in
 * the words of Trogdor's specs; the process that performs it is in src/host/workload/bench.
 */
export interface Bench<P extends TProperties = TProperties> {
  kind: string;
  /** One line with a full stop. */
  summary: string;
  fields: TObject<P>;
  /** What the schema can't say: all problems, with paths from the parameters. */
  check(params: Static<TObject<P>>): Problem[];
}

/** The same with its parameters' type, for its own file; the registry forgets the type. */
export function bench<P extends TProperties>(one: Bench<P>): Bench {
  return one as unknown as Bench;
}

export function checkBootstrap(servers: string): Problem[] {
  if (servers.trim() !== '') return [];
  return [{ path: '/bootstrapServers', message: "'bootstrapServers' is missing" }];
}
