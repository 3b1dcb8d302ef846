import { buildCommand } from '@stricli/core';
import type { Event } from '../core/model/fault-status.ts';
import { printJson, printLine, remark, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { jsonFlag, remoteFlags, textFlag, type RemoteFlags } from './flags.ts';
import { withRemote } from './remote.ts';

interface Flags extends RemoteFlags {
  readonly fault?: string;
  readonly run?: string;
  readonly after?: string;
  readonly json: boolean;
}

export const eventsCommand = buildCommand<Flags, [], CliContext>({
  docs: {
    brief: 'What happens, as it happens',
    fullDescription: withExamples('Follows the events of the coordinator until Ctrl-C.', [
      ['faultline events', 'everything from now on'],
      ['faultline events --after 0 --json', 'everything still held, then what comes; JSON lines'],
      ['faultline events --run demo-7', 'of one run'],
    ]),
  },
  parameters: {
    flags: {
      ...remoteFlags,
      fault: textFlag('ID', 'only of this fault'),
      run: textFlag('ID', 'only of this run'),
      after: textFlag('N', 'begin after this event'),
      json: jsonFlag,
    },
  },
  async func(flags) {
    const signal = this.catchInterrupt();
    await withRemote(this, flags, async (client) => {
      const query = { fault: flags.fault, run: flags.run, after: flags.after };
      try {
        for await (const { event, data } of client.events('/v1/events', { query, signal })) {
          if (event === 'gap') {
            remark(this, 'faultline: some events were missed');
            continue;
          }
          const happened = data as Event;
          if (flags.json) printJson(this, happened);
          else printLine(this, `${happened.at}  ${happened.type}  ${happened.message}`);
        }
      } catch (error) {
        // Ctrl-C is how following ends.
        if (!signal.aborted) throw error;
      }
    });
  },
});
