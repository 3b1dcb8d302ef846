import type { AgentFaultStatus, Event } from '../../core/model/fault-status.ts';
import type { LinkEvent } from '../../core/model/link.ts';
import { EventLog } from '../http/event-log.ts';

const EVENTS_HELD = 1_000;

/** The agent's event stream: one event for each change that people care about. */
export class AgentEvents {
  readonly log = new EventLog<Event>(EVENTS_HELD);
  readonly #last = new Map<string, string>();

  /** A fault's status, whenever it was pushed: an event where state, effect or trouble changed. */
  status(status: AgentFaultStatus): void {
    const key = `${status.id}/${status.instance}`;
    const now = [status.state, status.receipt.effect, status.openUndos.length].join(' ');
    if (this.#last.get(key) === now) return;
    this.#last.set(key, now);
    if (this.#last.size > EVENTS_HELD) {
      const oldest = this.#last.keys().next().value;
      if (oldest !== undefined) this.#last.delete(oldest);
    }
    this.log.append({
      at: new Date().toISOString(),
      type: `fault.${status.state}`,
      fault: status.id,
      node: status.node,
      message: describe(status),
      data: { instance: status.instance, effect: status.receipt.effect, endedBy: status.endedBy },
    });
  }

  /** Something that changes no fault's state. */
  note(node: string, event: LinkEvent): void {
    this.log.append({ at: new Date().toISOString(), node, ...event });
  }
}

function describe(status: AgentFaultStatus): string {
  const ended = status.endedBy === undefined ? '' : `, ended by ${status.endedBy}`;
  const error = status.error === undefined ? '' : `: ${status.error}`;
  const stuck = status.openUndos[0];
  const undo = stuck ? `; '${stuck.says}' can't be undone yet: ${stuck.lastError}` : '';
  const { kind, id, state, receipt } = status;
  return `${kind} '${id}' is ${state}, effect ${receipt.effect}${ended}${error}${undo}`;
}
