import { buildCommand } from '@stricli/core';
import type { NodeStatus } from '../core/model/fault-status.ts';
import { printJson, printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { jsonFlag, remoteFlags, type RemoteFlags } from './flags.ts';
import { withRemote } from './remote.ts';
import { table } from './table.ts';

function row(node: NodeStatus): string[] {
  const clock = node.clock
    ? `${node.clock.offsetMs.toFixed(1)} ±${node.clock.uncertaintyMs.toFixed(1)} ms`
    : '-';
  const unmet = node.capabilities.filter(({ met }) => !met).map(({ need }) => need);
  const lacks = unmet.length === 0 ? '-' : unmet.join(' ');
  const link = node.linkError === undefined ? node.link : `${node.link}: ${node.linkError}`;
  return [node.name, node.roles.join(' '), clock, lacks, node.faults.join(' ') || '-', link];
}

export const nodesCommand = buildCommand<RemoteFlags & { json: boolean }, [], CliContext>({
  docs: {
    brief: 'Nodes with their links, clocks and what each can do',
    fullDescription: withExamples(
      'Shows every node as the coordinator sees it: its link, how far its clock is off, what its kinds of fault would lack, and the faults on it.',
      [
        ['faultline nodes', 'for people'],
        ["faultline nodes --json | jq '.nodes[] | {name, link}'", 'for a script'],
      ],
    ),
  },
  parameters: { flags: { ...remoteFlags, json: jsonFlag } },
  async func(flags) {
    const answer = await withRemote(this, flags, (client) =>
      client.get<{ nodes: NodeStatus[] }>('/v1/nodes'),
    );
    if (flags.json) return printJson(this, answer);
    const heading = ['NAME', 'ROLES', 'CLOCK', 'LACKS', 'FAULTS', 'LINK'];
    printLine(this, table([heading, ...answer.nodes.map(row)]));
  },
});
