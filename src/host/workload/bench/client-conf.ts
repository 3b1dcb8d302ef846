import { Failure } from '../../../core/base/failure.ts';
import { describeProblem } from '../../../core/base/problem.ts';
import { ClusterConnections, parseBootstrap } from '../../kafka/cluster-connections.ts';
import { securityOptions } from '../../kafka/security.ts';

const SECURITY = /^(security\.protocol|sasl\.(mechanism|jaas\.config)|ssl\.)/;
const CONNECT_MS = 10_000;

/** Client properties of a bench, Kafka's names; what it does not know is told once, and passed over. */
export class ClientConf {
  readonly #values = new Map<string, string>();
  readonly #bootstrap: string;

  /** @param confs of the spec; later ones win. */
  constructor(bootstrap: string, ...confs: readonly Readonly<Record<string, string>>[]) {
    this.#bootstrap = bootstrap;
    for (const conf of confs)
      for (const [name, value] of Object.entries(conf)) this.#values.set(name, value);
  }

  text(name: string, otherwise: string): string {
    return this.#values.get(name) ?? otherwise;
  }

  /** @throws Failure `bad-client-conf`. */
  whole(name: string, otherwise: number): number {
    const text = this.#values.get(name);
    if (text === undefined) return otherwise;
    if (/^-?[0-9]{1,15}$/.test(text.trim())) return Number(text);
    throw new Failure('bad-client-conf', `${name}: '${text}' is no whole number`, {
      definite: true,
    });
  }

  /** Connections of one client, to be closed by whoever asked. @throws Failure `bad-client-conf`. */
  connect(clientId: string): ClusterConnections {
    const secure = Object.fromEntries([...this.#values].filter(([name]) => SECURITY.test(name)));
    const security = securityOptions(secure);
    if (!security.ok) {
      const says = security.problems.map(describeProblem).join('; ');
      throw new Failure('bad-client-conf', says, { definite: true });
    }
    return new ClusterConnections(parseBootstrap(this.#bootstrap), {
      clientId: this.text('client.id', clientId),
      connectTimeoutMs: this.whole('socket.connection.setup.timeout.ms', CONNECT_MS),
      requestTimeoutMs: this.whole('request.timeout.ms', 30_000),
      security: security.value,
    });
  }

  /** Says on standard error, which is the log of the process, what has no effect here. */
  tellUnused(known: ReadonlySet<string>): void {
    const unused = [...this.#values.keys()].filter(
      (name) => !known.has(name) && !SECURITY.test(name) && !KNOWN_OF_ALL.has(name),
    );
    if (unused.length > 0)
      console.error(`these client properties have no effect: ${unused.join(', ')}`);
  }
}

const KNOWN_OF_ALL: ReadonlySet<string> = new Set([
  'bootstrap.servers',
  'client.id',
  'request.timeout.ms',
  'socket.connection.setup.timeout.ms',
]);
