import { buildCommand } from '@stricli/core';
import { Failure } from '../core/base/failure.ts';
import type { AgentFaultStatus } from '../core/model/fault-status.ts';
import { BadFaultFile } from '../host/agent/exec-file.ts';
import { execAgent, serveAgent, type AgentFlags } from '../host/agent/serve.ts';
import { CliError } from './cli-error.ts';
import { exitWith, printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { byBackend } from './fault-text.ts';
import { jsonFlag, switchFlag, textFlag } from './flags.ts';

interface Flags extends AgentFlags {
  exec?: string;
  json: boolean;
}

const USAGE = ['bad-listen-address', 'insecure-listen', 'bad-node', 'bad-tls', 'bad-tls-file'];
const DATA = ['bad-config', 'bad-token-file', 'bad-fault-file', 'bad-trogdor-config'];

/** The daemon's failures with the exit codes of the command line. */
function asCliError(error: unknown): unknown {
  if (error instanceof BadFaultFile) {
    const { message, problems } = error;
    return new CliError(message, { exitCode: EXIT.data, problems, cause: error });
  }
  if (!(error instanceof Failure)) return error;
  if (USAGE.includes(error.code))
    return new CliError(error.message, { exitCode: EXIT.usage, cause: error });
  if (DATA.includes(error.code))
    return new CliError(error.message, { exitCode: EXIT.data, cause: error });
  return error;
}

function receiptLines(status: AgentFaultStatus): string[] {
  const { receipt } = status;
  return [
    `${status.kind} '${status.id}' is ${status.state}, ended by ${status.endedBy ?? 'a failure'}`,
    `effect ${receipt.effect}: ${receipt.says}${byBackend(receipt)}`,
    ...status.plan.map((step) => `  ${step.says}; undo: ${step.undo}`),
    ...(status.error === undefined ? [] : [`error: ${status.error}`]),
    ...receipt.notes.map((note) => `note: ${note}`),
  ];
}

export const agentCommand = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'The daemon of every node: carries faults out and heals them',
    fullDescription: withExamples(
      `Serves the agent's REST API for a coordinator, or carries out one fault from a file (--exec).
Beside it runs its guard, which heals when the agent dies or hangs. Needs root for most faults.
Stopped by SIGTERM or SIGINT: everything heals first.`,
      [
        ['faultline agent --node n1 --listen 127.0.0.1:7711 --state /var/lib/faultline', 'serve'],
        [
          'faultline agent --node n1 --state /var/lib/faultline --exec fault.json --json',
          'one fault, to its end',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      node: { kind: 'parsed', parse: String, placeholder: 'NAME', brief: 'name of this node' },
      state: {
        kind: 'parsed',
        parse: String,
        placeholder: 'DIR',
        brief: 'directory for journal, lock and token',
      },
      listen: textFlag('HOST:PORT', 'where to serve; default 127.0.0.1:7711'),
      config: textFlag('FILE', 'services and limits of this node (YAML or JSON)'),
      cluster: textFlag('NAME', 'the cluster it belongs to: other coordinators are refused'),
      tokenFile: textFlag('FILE', 'accepted tokens; default FAULTLINE_TOKEN_FILE, or DIR/token'),
      insecure: switchFlag('allow plain HTTP beyond loopback'),
      tlsCert: textFlag('FILE', 'certificate (PEM)'),
      tlsKey: textFlag('FILE', 'its key (PEM)'),
      tlsCa: textFlag('FILE', 'clients must show a certificate of this authority'),
      hostName: textFlag('NAMES', 'further names this daemon is called by, comma-separated'),
      trogdor: textFlag(
        'PORT',
        "serve Trogdor's protocol, too (usually 8888); no authentication, loopback unless --insecure",
      ),
      trogdorConfig: textFlag('FILE', "trogdor.conf: the nodes that Trogdor's specs may name"),
      trogdorStrict: {
        kind: 'boolean',
        optional: true,
        withNegated: false,
        brief: "show states of Trogdor's workers when Trogdor would, not when true",
      },
      exec: textFlag('FILE', 'arm, fire and heal the fault of this file, then end'),
      json: jsonFlag,
    },
  },
  async func(flags) {
    const signal = this.catchInterrupt();
    const { exec, json, ...agentFlags } = flags;
    try {
      if (exec === undefined)
        return await serveAgent(agentFlags, signal, (line) => printLine(this, line));
      const status = await execAgent(agentFlags, exec, signal);
      if (json) printJson(this, status);
      else for (const line of receiptLines(status)) printLine(this, line);
      const good = status.state === 'healed' && status.receipt.effect !== 'unseen';
      exitWith(this, good ? EXIT.ok : EXIT.refused);
    } catch (error) {
      throw asCliError(error);
    }
  },
});
