import type { Problem } from '../base/problem.ts';
import type { Act } from '../model/act.ts';
import type { AgentFaultRequest } from '../model/fault-request.ts';
import type { AgentFaultStatus } from '../model/fault-status.ts';
import type { Capability, Probe } from '../model/fault.ts';
import type { EndedBy } from '../model/lifecycle.ts';
import type { Answer, Query } from '../model/query.ts';
import type { ArmRecord, JournalEntry, Progress } from './journal-record.ts';

/** Everything that can happen to an agent. `ticket` names a request that waits for a `reply`. */
export type AgentEvent =
  /** The journal has been read; what is open in it heals. `by`: who heals (the offline healer says 'guard'). */
  | { event: 'started'; entries: JournalEntry[]; by: EndedBy }
  | { event: 'probed'; capabilities: Capability[] }
  | { event: 'listening'; agentPort: number }
  | { event: 'create'; ticket: number; request: AgentFaultRequest; dryRun: boolean }
  | { event: 'fire'; ticket: number; id: string; instance: number; atBootMs: number }
  | { event: 'heal'; ticket: number; id: string }
  | { event: 'healAll'; ticket: number }
  | { event: 'resume'; ticket: number }
  | { event: 'forget'; ticket: number; id: string; instance: number }
  | {
      event: 'leases';
      ticket: number;
      owner: string;
      faults: { id: string; instance: number }[];
    }
  /** The file-system process of a mount has ended: what stands there is looked after now, not in a while. */
  | { event: 'diskEnded'; mountPoint: string }
  /** The daemon was told to stop. */
  | { event: 'stop' }
  /** The instant `nextDue` named has come (or any other: too early does nothing). */
  | { event: 'tick' }
  /** An effect with this serial has been carried out, or not. */
  | { event: 'answered'; key: string; serial: number; answers: Answer[] }
  | { event: 'journaled'; key: string; serial: number; record: number }
  | { event: 'done'; key: string; serial: number }
  | {
      event: 'failed';
      key: string;
      serial: number;
      code: string;
      message: string;
      definite: boolean;
    };

/** What the machine wants done. Those with a serial are answered by an event with the same. */
export type AgentEffect =
  /** Read-only questions; `probes` are sent first. Late answers do not count: `timeoutMs`. */
  | {
      effect: 'ask';
      key: string;
      serial: number;
      queries: Query[];
      probes: Probe[];
      timeoutMs: number;
    }
  /** Write and fsync, then `journaled`. Nothing has been done yet. */
  | { effect: 'journal'; key: string; serial: number; arm: ArmRecord; progress: Progress }
  /** An act, an undo or a refresh. */
  | { effect: 'perform'; key: string; serial: number; act: Act }
  /** Whether what an act made is still there; `failed` with code 'gone' where it is not. */
  | { effect: 'verify'; key: string; serial: number; act: Act }
  /** Written when the disk allows it; nobody waits. */
  | { effect: 'progress'; record: number; progress: Progress }
  | { effect: 'forget'; record: number }
  /** Whether new faults are refused outlives this agent; who asked is answered when it is on disk. */
  | { effect: 'remember'; closed: boolean }
  | { effect: 'status'; status: AgentFaultStatus }
  | { effect: 'reply'; ticket: number; reply: AgentReply };

/** An answer to a request, in the words of api.ts. */
export type AgentReply =
  | { status: 200 | 201 | 202; body: unknown }
  | {
      status: 404 | 409 | 422;
      detail: string;
      problems?: Problem[];
      conflictsWith?: string;
    };
