import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { childrenOf, commandLine } from '../../test/support/agent-process.ts';
import { ROOT } from '../../test/support/needs.ts';
import type { TestNode } from '../../test/support/netns.ts';
import { until } from '../../test/support/until.ts';
import { VICTIM_SECONDS } from './plan.ts';

const run = promisify(execFile);
export const AGENT_PORT = 7711;
/** Pid 1 of a node: does nothing, and buries what nobody else buries. */
const INIT = 'trap : CHLD; while :; do sleep 600 & wait $!; done';

/** Started by us, or again by an agent or a healer. */
const isVictim = ({ line }: Seen): boolean =>
  /^(\/bin\/)?sleep /.test(line) && line.endsWith(` ${VICTIM_SECONDS}`);

/** Processes that faults have. */
const OF_FAULTS = /\/(burner\.sh|packets\.ts|dns-responder\.ts|kafka-proxy\.ts) /;

interface Seen {
  pid: number;
  state: string;
  line: string;
}

/** A machine of the storm: network and PID namespace, a victim, an agent with its guard. */
export class StormNode {
  readonly name: string;
  readonly state: string;
  readonly #node: TestNode;
  readonly #directory: string;
  readonly #flags: readonly string[];
  #outer: ChildProcess | undefined;
  #init = 0;
  #namespace = '';
  readonly #launchers = new Set<ChildProcess>();

  /** @param flags of the agent: token, configuration. */
  constructor(node: TestNode, directory: string, flags: readonly string[]) {
    this.name = node.name;
    this.#node = node;
    this.#directory = join(directory, node.name);
    this.state = join(this.#directory, 'state');
    this.#flags = flags;
  }

  async boot(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true });
    const make = ['unshare', '--pid', '--mount-proc', '--fork', '--kill-child'];
    const argv = ['netns', 'exec', this.#node.namespace, ...make, 'bash', '-c', INIT];
    this.#outer = spawn('ip', argv, { stdio: 'ignore' });
    const outer = this.#outer.pid ?? 0;
    this.#init = await until('the init of a node', () => childrenOf(outer)[0]);
    this.#namespace = namespaceOf(this.#init);
    await until('its proc', () => commandLine(this.#init).startsWith('bash'));
    this.#enter(['setsid', 'sleep', VICTIM_SECONDS], 'victim');
    await until('the victim', () => this.#victims().length === 1);
  }

  #enter(argv: readonly string[], log: string): ChildProcess {
    const out = openSync(join(this.#directory, `${log}.log`), 'a');
    const enter = ['-t', String(this.#init), '-n', '-p', '-m', '--', ...argv];
    const child = spawn('nsenter', enter, { stdio: ['ignore', out, out] });
    closeSync(out);
    this.#launchers.add(child);
    child.on('exit', () => this.#launchers.delete(child));
    return child;
  }

  startAgent(): void {
    const listen = `${this.#node.address}:${AGENT_PORT}`;
    const flags = ['--node', this.name, '--listen', listen, '--state', this.state, ...this.#flags];
    this.#enter([join(ROOT, 'faultline'), 'agent', '--insecure', ...flags], 'agent');
  }

  /**
   * Processes of this node, as the host numbers them: all descend from its first process, which buries
   * the orphans, or from a launcher of ours. (All of /proc, every time, was most of what a round cost.)
   */
  #seen(): Seen[] {
    const found: Seen[] = [];
    const roots = [this.#init, ...[...this.#launchers].flatMap(({ pid }) => childrenOf(pid ?? 0))];
    const queue = [...new Set(roots)];
    for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
      if (namespaceOf(pid) !== this.#namespace) continue;
      queue.push(...childrenOf(pid));
      const seen = look(pid);
      if (seen && !['Z', 'X'].includes(seen.state)) found.push(seen);
    }
    return found;
  }

  #victims(): Seen[] {
    return this.#seen().filter(isVictim);
  }

  agent(): Seen | undefined {
    return this.#seen().find(({ line }) => line.includes('/faultline.ts agent '));
  }

  guards(): Seen[] {
    return this.#seen().filter(({ line }) => line.includes('/guard.sh '));
  }

  healers(): Seen[] {
    return this.#seen().filter(({ line }) => line.includes('/bin/healer.ts '));
  }

  /** Whether somebody lives, and is not stopped, who can heal. */
  hasHealer(): boolean {
    const able = [this.agent(), ...this.guards(), ...this.healers()];
    return able.some((seen) => seen !== undefined && !['T', 't'].includes(seen.state));
  }

  signal(seen: Seen | undefined, signal: NodeJS.Signals): void {
    if (seen && namespaceOf(seen.pid) === this.#namespace) signalPid(seen.pid, signal);
  }

  /** Stops the agent, ends its guards and healers, then itself: nobody is left, at one moment. */
  killAll(): void {
    this.signal(this.agent(), 'SIGSTOP');
    for (const seen of [...this.guards(), ...this.healers()]) this.signal(seen, 'SIGKILL');
    this.signal(this.agent(), 'SIGKILL');
  }

  /** Rules that carry our mark, whoever made them; the empty chains of iptables are not ours. */
  async rules(): Promise<string> {
    // One shell for all: it is asked many times a second.
    const list = 'nft list tables && iptables-save && ip6tables-save && ipset list -name';
    const seen = await this.run(['sh', '-c', list]);
    return seen
      .split('\n')
      .filter((line) => line.includes('faultline-'))
      .join('\n');
  }

  /** Runs a program in this node. @throws where it fails. */
  async run(argv: readonly string[]): Promise<string> {
    const enter = ['-t', String(this.#init), '-n', '-p', '-m', '--', ...argv];
    const { stdout } = await run('nsenter', enter);
    return stdout;
  }

  /**
   * What distinguishes this node from one that nobody has touched.
   * @param isHasty whether one difference is as good as all.
   */
  async differences(isHasty = true): Promise<string[]> {
    const seen = this.#seen();
    const victims = seen.filter(isVictim);
    const [victim] = victims;
    const found: string[] = [];
    if (!victim || victims.length > 1) found.push(`${victims.length} victims`);
    else if (['T', 't'].includes(victim.state)) found.push(`victim ${victim.pid} is stopped`);
    const workers = seen.filter(({ line }) => OF_FAULTS.test(line));
    found.push(...workers.map(({ line }) => line));
    // Asked only where it decides: it costs two processes.
    const rules = found.length > 0 && isHasty ? '' : await this.rules();
    return rules === '' ? found : [rules, ...found];
  }

  /** A node as new: no daemon is alive and no launcher stopped with the one it started. */
  buryLaunchers(): void {
    if (this.agent()) return;
    for (const launcher of this.#launchers) {
      const [child] = childrenOf(launcher.pid ?? 0);
      if (child === undefined || look(child)?.state === 'Z') launcher.kill('SIGKILL');
    }
  }

  /** What was said and what is running, for a report of a violation. */
  describe(): string {
    return this.#seen()
      .map(({ pid, state, line }) => `${pid} ${state} ${line.slice(0, 200)}`)
      .join('\n');
  }

  /** The kernel kills what is in the PID namespace with its init. */
  close(): void {
    for (const launcher of this.#launchers) launcher.kill('SIGKILL');
    if (this.#init > 0 && namespaceOf(this.#init) === this.#namespace)
      signalPid(this.#init, 'SIGKILL');
    this.#outer?.kill('SIGKILL');
  }
}

export function signalPid(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended a moment ago: nothing is left to signal.
  }
}

function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // Gone.
    return '';
  }
}

function look(pid: number): Seen | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    return { pid, state, line: commandLine(pid) };
  } catch {
    // Gone.
    return undefined;
  }
}
