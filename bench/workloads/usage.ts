import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** What a process and those it has started have used. */
export interface Usage {
  cpuSeconds: number;
  /** Largest resident size of each process, added up, MB. */
  peakMb: number;
  /** The same by command. */
  peaksMb: Record<string, number>;
}

interface Seen {
  command: string;
  cpuSeconds: number;
  peakMb: number;
}

/** Looks at a tree of processes ten times a second: what has ended counts as it was last seen. */
export class UsageWatch {
  readonly #root: number;
  readonly #seen = new Map<number, Seen>();
  readonly #timer: NodeJS.Timeout;

  constructor(root: number) {
    this.#root = root;
    this.#timer = setInterval(() => this.#look(), 100);
  }

  #look(): void {
    const parents = new Map<number, number>();
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      const parent = Number.isInteger(pid) ? statOf(pid)?.[1] : undefined;
      if (parent !== undefined) parents.set(pid, Number(parent));
    }
    for (const pid of parents.keys()) if (this.#isOurs(pid, parents)) this.#note(pid);
  }

  #isOurs(pid: number, parents: ReadonlyMap<number, number>): boolean {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === this.#root) return true;
    return this.#seen.has(pid);
  }

  #note(pid: number): void {
    const stat = statOf(pid);
    const peakKb = peakOf(pid);
    if (!stat || peakKb === undefined) return;
    const cpuSeconds = (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND;
    this.#seen.set(pid, { command: commandOf(pid), cpuSeconds, peakMb: peakKb / 1024 });
  }

  end(): Usage {
    clearInterval(this.#timer);
    const all = [...this.#seen.values()];
    const peaksMb: Record<string, number> = {};
    for (const { command, peakMb } of all)
      peaksMb[command] = Math.round((peaksMb[command] ?? 0) + peakMb);
    return {
      cpuSeconds: all.reduce((sum, one) => sum + one.cpuSeconds, 0),
      peakMb: Math.round(all.reduce((sum, one) => sum + one.peakMb, 0)),
      peaksMb,
    };
  }
}

/** Fields of /proc/PID/stat (proc(5)) after the name: state, parent, ...; undefined: it has ended. */
function statOf(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function peakOf(pid: number): number | undefined {
  const found = /^VmHWM:\s+([0-9]+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

function commandOf(pid: number): string {
  const argv = (read(`/proc/${pid}/cmdline`) ?? '').split('\0');
  const script = argv.find((part) => /\.(ts|js|sh)$/.test(part)) ?? argv[0] ?? '';
  return script.slice(script.lastIndexOf('/') + 1);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended between two looks.
    return undefined;
  }
}
