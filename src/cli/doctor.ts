import { buildCommand } from '@stricli/core';
import { exitWith, printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { jsonFlag, textFlag } from './flags.ts';

const DEFAULT_STATE = '/var/lib/faultline';

export const doctorCommand = buildCommand<
  { state?: string; config?: string; json: boolean },
  [],
  CliContext
>({
  docs: {
    brief: 'What Faultline has left on this node',
    fullDescription: withExamples(
      `Looks for everything on this machine that carries our mark: rules, stopped processes, processes
of our own, disk faults. Touches nothing. Needs no daemon; needs root to see everything.
Exit code 0: nothing is left; 1: something is.`,
      [
        ['faultline doctor', 'look'],
        ['faultline heal --offline --state /var/lib/faultline', 'clean up'],
      ],
    ),
  },
  parameters: {
    flags: {
      state: textFlag('DIR', `the agent's state directory; default ${DEFAULT_STATE}`),
      config: textFlag('FILE', "the agent's configuration: its services"),
      json: jsonFlag,
    },
  },
  async func(flags) {
    const { diagnose } = await import('../host/doctor.ts');
    const { thisMachine } = await import('../host/this-machine.ts');
    const { loadAgentConfig } = await import('../host/agent/config.ts');
    const state = flags.state ?? DEFAULT_STATE;
    const { services } = await loadAgentConfig(flags.config, 'this');
    const linux = thisMachine(services, state);
    const diagnosis = await diagnose(state, linux);
    exitWith(this, diagnosis.findings.length === 0 ? EXIT.ok : EXIT.found);
    const needs = await linux.needs();
    if (flags.json) return printJson(this, { ...diagnosis, needs });
    for (const { need, met, why } of needs) {
      printLine(this, `${met ? 'can' : 'CANNOT'} ${need}: ${why}`);
    }
    if (diagnosis.agentPid !== undefined) {
      const faults = diagnosis.openFaults.join(', ') || 'no fault';
      printLine(this, `agent (pid ${diagnosis.agentPid}) holds ${faults}`);
    }
    for (const { says } of diagnosis.findings) printLine(this, `LEFT ${says}`);
    if (diagnosis.findings.length === 0) printLine(this, 'nothing is left on this node');
    else printLine(this, `'faultline heal --offline --state ${state}' removes it`);
  },
});
