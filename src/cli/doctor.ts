import { existsSync } from 'node:fs';
import { buildCommand } from '@stricli/core';
import { exitWith, printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { jsonFlag, textFlag } from './flags.ts';

const DEFAULT_STATE = '/var/lib/faultline';

export const doctorCommand = buildCommand<{ state?: string; json: boolean }, [], CliContext>({
  docs: {
    brief: 'What Faultline has left on this node',
    fullDescription: withExamples(
      `Looks for everything on this machine that carries our mark: rules, stopped processes,
burners. Touches nothing. Needs no daemon; needs root to see everything.
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
      json: jsonFlag,
    },
  },
  async func(flags) {
    const { thisMachine } = await import('../host/this-machine.ts');
    const state = flags.state ?? DEFAULT_STATE;
    const linux = thisMachine(undefined, state);
    const [leftovers, needs] = await Promise.all([linux.leftovers(), linux.needs()]);
    const found = leftovers.map(({ says, faultId }) => ({ says, faultId: faultId ?? null }));
    exitWith(this, found.length === 0 ? EXIT.ok : EXIT.found);
    if (flags.json) {
      const stateDirectory = { path: state, there: existsSync(state) };
      return printJson(this, { leftovers: found, needs, stateDirectory });
    }
    for (const { need, met, why } of needs)
      printLine(this, `${met ? 'can' : 'CANNOT'} ${need}: ${why}`);
    for (const { says, faultId } of found) {
      printLine(this, `LEFT ${says}${faultId === null ? '' : ` (fault ${faultId})`}`);
    }
    if (found.length === 0) printLine(this, 'nothing of Faultline is left on this node');
    else printLine(this, `'faultline heal --offline --state ${state}' removes it`);
  },
});
