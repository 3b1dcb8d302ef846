import type { AgentReply } from '../../src/core/agent/event.ts';
import type { Command } from '../../src/core/coordinator/machine-types.ts';
import type { AgentFaultStatus } from '../../src/core/model/fault-status.ts';
import type { AgentRequest } from './driver.ts';
import type { AgentConnection, SimNode } from './node.ts';

/** What a coordinator sends over a link. */
export type CoordinatorFrame =
  | { frame: 'clock'; seq: number }
  | { frame: 'command'; seq: number; owner: string; command: Command };

/** What an agent sends over a link. */
export type AgentFrame =
  | { frame: 'clock'; seq: number; bootMs: number }
  | { frame: 'answer'; seq: number; reply: AgentReply }
  | { frame: 'status'; faults: AgentFaultStatus[]; complete: boolean };

/** The agent's end of a link: host/agent/link.ts and handlers.ts. */
export function takeFrame(
  node: SimNode,
  connection: AgentConnection,
  frame: CoordinatorFrame,
): void {
  const { seq } = frame;
  if (frame.frame === 'clock')
    return connection.toCoordinator({ frame: 'clock', seq, bootMs: node.bootMs });
  const { command, owner } = frame;
  node.agent?.driver?.request(requestOf(command), owner, (reply) =>
    connection.toCoordinator({ frame: 'answer', seq, reply }),
  );
}

function requestOf(command: Command): AgentRequest {
  switch (command.command) {
    case 'arm':
      return { event: 'create', request: command.body, dryRun: false };
    case 'fire': {
      const { id, instance, atBootMs } = command;
      return { event: 'fire', id, instance, atBootMs };
    }
    case 'heal':
      return { event: 'heal', id: command.id };
    case 'forget':
      return { event: 'forget', id: command.id, instance: command.instance };
    case 'leases':
      return { event: 'leases', owner: command.owner, faults: command.faults };
  }
}
