import { buildCommand } from '@stricli/core';
import { CliError } from './cli-error.ts';
import { exitWith, printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { jsonFlag, remoteFlags, switchFlag, textFlag, type RemoteFlags } from './flags.ts';
import { withRemote } from './remote.ts';

interface Flags extends RemoteFlags {
  readonly offline: boolean;
  readonly state?: string;
  readonly config?: string;
  readonly wait: string;
  readonly json: boolean;
}

async function offline(context: CliContext, flags: Flags): Promise<void> {
  if (flags.state === undefined) {
    throw new CliError("--offline needs --state DIR: the state directory of the node's agent", {
      exitCode: EXIT.usage,
    });
  }
  const { healOffline } = await import('../host/heal-offline.ts');
  const { thisMachine } = await import('../host/this-machine.ts');
  const { configuredServices } = await import('../host/agent/config.ts');
  const { services, problem } = await configuredServices(flags.config);
  const linux = thisMachine(services, flags.state);
  const report = await healOffline({ stateDirectory: flags.state, linux, by: 'request' });
  if (problem !== undefined) report.failed.push(problem);
  if (flags.json) printJson(context, report);
  else if (report.leftToAgent !== undefined) {
    printLine(context, `an agent (pid ${report.leftToAgent.pid}) is alive and heals by itself`);
  } else {
    for (const fault of report.faults)
      printLine(context, `${fault.kind} '${fault.id}' is ${fault.state}`);
    for (const says of report.removed) printLine(context, `removed ${says}`);
    for (const says of report.failed) printLine(context, `FAILED ${says}`);
    const count = report.faults.length + report.removed.length;
    if (count + report.failed.length === 0) printLine(context, 'nothing was left on this node');
  }
  exitWith(context, report.failed.length > 0 || report.leftToAgent ? EXIT.refused : EXIT.ok);
}

export const healCommand = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'Heal everything everywhere and refuse new faults until resume',
    fullDescription: withExamples(
      `Heals every fault on every node, cancels runs, schedules and armed faults, and refuses new
ones until 'faultline resume'. With --offline it heals this node alone, with no daemon at all.`,
      [
        ['faultline heal', 'end everything, now'],
        ['faultline heal --offline --state /var/lib/faultline', 'on a node whose agent is dead'],
      ],
    ),
  },
  parameters: {
    flags: {
      ...remoteFlags,
      offline: switchFlag('heal this node without any daemon'),
      state: textFlag('DIR', "the agent's state directory, with --offline"),
      config: textFlag('FILE', "the agent's configuration, with --offline: how services start"),
      wait: { ...textFlag('D', 'wait for the end at most'), default: '15s', optional: false },
      json: jsonFlag,
    },
  },
  async func(flags) {
    if (flags.offline) return offline(this, flags);
    const answer = await withRemote(this, flags, (client) =>
      client.post<unknown>('/v1/heal', undefined, {
        query: { wait: flags.wait },
        timeoutMs: 120_000,
      }),
    );
    if (flags.json) printJson(this, answer);
    else printLine(this, "everything heals; new faults are refused until 'faultline resume'");
  },
});
