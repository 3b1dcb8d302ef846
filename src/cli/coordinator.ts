import { buildCommand } from '@stricli/core';
import { Failure } from '../core/base/failure.ts';
import { startCoordinator, type CoordinatorFlags } from '../host/coordinator/serve.ts';
import { doorWarning } from '../host/trogdor/open.ts';
import { CliError } from './cli-error.ts';
import { printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { switchFlag, textFlag } from './flags.ts';

const USAGE = ['bad-listen-address', 'insecure-listen', 'bad-tls', 'bad-tls-file', 'bad-limit'];
const DATA = [
  'bad-bootstrap',
  'bad-cluster-file',
  'bad-properties',
  'bad-token-file',
  'bad-trogdor-config',
];

/** The daemon's failures with the exit codes of the command line. */
function asCliError(error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  if (USAGE.includes(error.code))
    return new CliError(error.message, { exitCode: EXIT.usage, cause: error });
  if (DATA.includes(error.code))
    return new CliError(error.message, { exitCode: EXIT.data, cause: error });
  return error;
}

function parseCount(input: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(input)) throw new SyntaxError('a whole number from 1');
  return Number(input);
}

function required(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: String, placeholder, brief } as const;
}

export const coordinatorCommand = buildCommand<CoordinatorFlags, [], CliContext>({
  docs: {
    brief: 'The daemon that plans and schedules faults over all agents',
    fullDescription: withExamples(
      `Serves the coordinator's REST API, dials the agent of every node of cluster.yaml, and keeps all
it must not forget in --state. Stopped and started again, it goes on where it was; what stands in
the meantime ends by its lease or deadline.`,
      [
        [
          'faultline coordinator --listen 127.0.0.1:7700 --state /var/lib/faultline-coordinator --cluster cluster.yaml',
          'serve',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      listen: required('HOST:PORT', 'where to serve, as 127.0.0.1:7700'),
      state: required('DIR', 'directory for database, audit log and token'),
      cluster: textFlag('FILE', 'cluster.yaml: nodes, agents, roles, bootstrap'),
      tokenFile: textFlag('FILE', 'accepted tokens; default FAULTLINE_TOKEN_FILE, or DIR/token'),
      agentTokenFile: textFlag('FILE', 'token for the agents; default: the first of ours'),
      insecure: switchFlag('allow plain HTTP beyond loopback'),
      tlsCert: textFlag('FILE', 'certificate (PEM)'),
      tlsKey: textFlag('FILE', 'its key (PEM)'),
      tlsCa: textFlag('FILE', 'clients must show a certificate of this authority'),
      agentTlsCa: textFlag('FILE', "authority of the agents' certificates"),
      agentTlsCert: textFlag('FILE', 'certificate shown to agents'),
      agentTlsKey: textFlag('FILE', 'its key'),
      hostName: textFlag('NAMES', 'further names this daemon is called by, comma-separated'),
      limitNodes: {
        kind: 'parsed',
        parse: parseCount,
        optional: true,
        placeholder: 'N',
        brief: 'most nodes harmed at once',
      },
      limitRoleShare: textFlag('RATIO', "largest share of a role harmed at once, as '1/2'"),
      trogdor: textFlag(
        'PORT',
        "serve Trogdor's protocol, too (usually 8889); no authentication, loopback unless --insecure",
      ),
      trogdorConfig: textFlag('FILE', 'trogdor.conf: the nodes, where there is no --cluster'),
      trogdorStrict: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: "show states of Trogdor's tasks when Trogdor would, not when true",
      },
    },
  },
  async func(flags) {
    const shutdown = new AbortController();
    const signal = AbortSignal.any([this.catchInterrupt(), shutdown.signal]);
    try {
      const served = await startCoordinator(flags, { shutdown: () => shutdown.abort() });
      if (served.trogdorUrl !== undefined) printLine(this, doorWarning(served.trogdorUrl));
      printLine(
        this,
        `faultline coordinator is ready: ${served.url} (token file ${served.tokenFile})`,
      );
      if (!signal.aborted)
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      await served.close();
    } catch (error) {
      throw asCliError(error);
    }
  },
});
