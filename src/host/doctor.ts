import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalSlots } from '../core/agent/journal-slots.ts';
import { describeAct } from '../core/model/act.ts';
import { hasEnded } from '../core/model/lifecycle.ts';
import type { ProcessRef } from '../core/model/process-match.ts';
import { birthTicks } from './boot-clock.ts';
import type { Linux } from './linux/linux.ts';
import { lockHolder } from './lock.ts';

/** Something that a node without faults would not have. */
export interface Finding {
  what: 'journal' | 'leftover' | 'stopped-process';
  says: string;
  fault?: string;
}

export interface Diagnosis {
  /** The agent that holds the state directory, if one lives: its faults are no findings. */
  agentPid?: number;
  /** Faults the journal says are open. */
  openFaults: string[];
  findings: Finding[];
}

/**
 * Compares a node with its baseline: open records of the journal, what carries our mark, processes
 * that the journal named and that are still stopped. Looks only.
 * @throws Failure where the machine can't be asked.
 */
export async function diagnose(stateDirectory: string, linux: Linux): Promise<Diagnosis> {
  const holder = lockHolder(stateDirectory);
  const lives = holder !== undefined && birthTicks(holder.pid) === holder.birthTicks;
  const agentPid = lives && holder.role === 'agent' ? holder.pid : undefined;
  const path = join(stateDirectory, 'journal');
  const entries = existsSync(path)
    ? new JournalSlots().read((await readFile(path)).toString('latin1'))
    : [];
  const open = entries.filter((entry) => !hasEnded(entry.progress.state));
  const openFaults = open.map((entry) => entry.arm.id);
  const expected = agentPid === undefined ? new Set<string>() : new Set(openFaults);
  const findings: Finding[] = [];
  for (const { arm } of open) {
    if (expected.has(arm.id)) continue;
    const undos = arm.undos.map((undo) => describeAct(undo.act)).join('; ');
    findings.push({ what: 'journal', fault: arm.id, says: `fault '${arm.id}' is open: ${undos}` });
  }
  for (const { says, faultId, remove } of await linux.leftovers()) {
    if (faultId !== undefined && expected.has(faultId)) continue;
    // A mount whose process is dead is nobody's fault in force.
    if (faultId === undefined && expected.size > 0 && remove.act !== 'disk.unmount') continue;
    findings.push({
      what: 'leftover',
      says,
      ...(faultId === undefined ? {} : { fault: faultId }),
    });
  }
  const paused = entries.filter((entry) => !expected.has(entry.arm.id));
  findings.push(...(await stoppedAmong(paused.flatMap(processesOf), linux)));
  return { ...(agentPid === undefined ? {} : { agentPid }), openFaults, findings };
}

interface Named {
  fault: string;
  process: ProcessRef;
}

function processesOf(entry: ReturnType<JournalSlots['read']>[number]): Named[] {
  return entry.arm.undos.flatMap(({ act }) =>
    'processes' in act ? act.processes.map((process) => ({ fault: entry.arm.id, process })) : [],
  );
}

async function stoppedAmong(named: readonly Named[], linux: Linux): Promise<Finding[]> {
  if (named.length === 0) return [];
  const processes = named.map((each) => each.process);
  const { states } = await linux.ask({ query: 'processStates', processes });
  return named.flatMap(({ fault, process }, index) =>
    states[index] === 'T'
      ? [{ what: 'stopped-process' as const, fault, says: `pid ${process.pid} is stopped` }]
      : [],
  );
}
