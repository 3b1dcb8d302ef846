import { buildCommand } from '@stricli/core';
import { printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { jsonFlag, remoteFlags, type RemoteFlags } from './flags.ts';
import { withRemote } from './remote.ts';

export const resumeCommand = buildCommand<RemoteFlags & { json: boolean }, [], CliContext>({
  docs: {
    brief: 'Allow new faults again after heal',
    fullDescription: withExamples("Ends what 'faultline heal' began.", [
      ['faultline resume', 'new faults are allowed again'],
    ]),
  },
  parameters: { flags: { ...remoteFlags, json: jsonFlag } },
  async func(flags) {
    const answer = await withRemote(this, flags, (client) => client.post<unknown>('/v1/resume'));
    if (flags.json) printJson(this, answer);
    else printLine(this, 'new faults are allowed');
  },
});
