import { readdirSync } from 'node:fs';
import { memoryOf, textOf as read, type Memory } from './pages.ts';

const TICKS_PER_SECOND = 100;
/** Pages are looked at one by one only every so many looks. */
const LOOKS_A_COUNT = 5;

/** What a process and those it has started have used. */
export interface Usage extends Pick<Memory, 'proportionalMb' | 'distinctMb'> {
  cpuSeconds: number;
  /** Largest sum of what they had resident at one moment, MB; pages that they share count for each. */
  peakMb: number;
  /** The same moment by command. */
  peaksMb: Record<string, number>;
}

/** Looks at a tree of processes ten times a second: what has ended counts as it was last seen. */
export class UsageWatch {
  readonly #root: number;
  readonly #cpuSeconds = new Map<number, number>();
  readonly #timer: NodeJS.Timeout;
  #looks = 0;
  #proportionalMb = 0;
  #distinctMb = 0;
  #peakMb = 0;
  #peaksMb: Record<string, number> = {};

  constructor(root: number) {
    this.#root = root;
    this.#timer = setInterval(() => this.#look(), 100);
  }

  #look(): void {
    const parents = parentsOfAll();
    const nowMb: Record<string, number> = {};
    const ours: number[] = [];
    let sumMb = 0;
    for (const [pid, parent] of parents) {
      if (!this.#isOurs(pid, parents)) continue;
      const stat = statOf(pid);
      if (!stat) continue;
      this.#cpuSeconds.set(pid, (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND);
      const command = commandLineOf(pid);
      // Forked, and not yet another program: its pages are its parent's.
      if (command === commandLineOf(parent)) continue;
      ours.push(pid);
      const residentMb = residentOf(pid);
      sumMb += residentMb;
      const name = nameOf(command);
      nowMb[name] = Math.round((nowMb[name] ?? 0) + residentMb);
    }
    if (sumMb > this.#peakMb) [this.#peakMb, this.#peaksMb] = [sumMb, nowMb];
    if (this.#looks++ % LOOKS_A_COUNT > 0) return;
    const { proportionalMb, distinctMb } = memoryOf(ours);
    this.#proportionalMb = Math.max(this.#proportionalMb, proportionalMb);
    this.#distinctMb = Math.max(this.#distinctMb, distinctMb);
  }

  #isOurs(pid: number, parents: ReadonlyMap<number, number>): boolean {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === this.#root) return true;
    // Its parent has ended.
    return this.#cpuSeconds.has(pid);
  }

  end(): Usage {
    clearInterval(this.#timer);
    const cpuSeconds = [...this.#cpuSeconds.values()].reduce((sum, one) => sum + one, 0);
    return {
      cpuSeconds,
      peakMb: Math.round(this.#peakMb),
      peaksMb: this.#peaksMb,
      proportionalMb: this.#proportionalMb,
      distinctMb: this.#distinctMb,
    };
  }
}

/** Of every process on the machine, its parent. */
export function parentsOfAll(): Map<number, number> {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? statOf(pid)?.[1] : undefined;
    if (parent !== undefined) parents.set(pid, Number(parent));
  }
  return parents;
}

/** Fields of /proc/PID/stat (proc(5)) after the name: state, parent, ...; undefined: it has ended. */
function statOf(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function residentOf(pid: number): number {
  const found = /^VmRSS:\s+([0-9]+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return Number(found ?? 0) / 1024;
}

const commandLineOf = (pid: number): string => read(`/proc/${pid}/cmdline`) ?? '';

function nameOf(commandLine: string): string {
  const argv = commandLine.split('\0');
  const script = argv.find((part) => /\.(ts|js|sh)$/.test(part)) ?? argv[0] ?? '';
  return script.slice(script.lastIndexOf('/') + 1);
}
