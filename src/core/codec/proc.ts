/**
 * Files of /proc, as text, read into values (proc(5)).
 *
 *   stat    := pid ' (' comm ') ' state ' ' ppid ...   comm may hold spaces and parentheses:
 *              the last ')' ends it (proc_pid_stat(5))
 *   cmdline := (argument NUL)*                         a process may overwrite it with anything
 *   net/tcp := header LF (sl ': ' hexaddr ':' hexport ' ' remote ' ' state ... uid timeout inode ...)*
 */

/** What /proc/PID/stat says, as far as we need it. */
export interface ProcessStat {
  pid: number;
  comm: string;
  /** R S D T t Z X I ... */
  state: string;
  parentPid: number;
  /** Clock ticks, children not counted. */
  cpuTicks: number;
  /** Field 22: clock ticks after boot. */
  birthTicks: number;
}

/** Reads /proc/PID/stat; undefined where the text is none. */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return undefined;
  // fields[0] is field 3, the state.
  const fields = text
    .slice(close + 1)
    .trim()
    .split(/\s+/);
  const number = (field: number): number => Number(fields[field - 3] ?? Number.NaN);
  const stat = {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state: fields[0] ?? '',
    parentPid: number(4),
    cpuTicks: number(14) + number(15),
    birthTicks: number(22),
  };
  const whole = [stat.pid, stat.parentPid, stat.cpuTicks, stat.birthTicks];
  return stat.state.length === 1 && whole.every(Number.isSafeInteger) ? stat : undefined;
}

/** Arguments of a process; empty for kernel threads and zombies. */
export function parseCommandLine(text: string): string[] {
  if (text === '') return [];
  const parts = text.split('\0');
  if (parts.at(-1) === '') parts.pop();
  return parts;
}

/** TCP_LISTEN in include/net/tcp_states.h. */
const LISTEN = '0A';

/** Inodes of the sockets that listen on a port, out of /proc/net/tcp or tcp6. */
export function parseListeningInodes(text: string, port: number): string[] {
  const inodes: string[] = [];
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const localPort = Number.parseInt(fields[1]?.split(':')[1] ?? '', 16);
    const inode = fields[9];
    if (fields[3] === LISTEN && localPort === port && inode !== undefined) inodes.push(inode);
  }
  return inodes;
}

/** Inode of the namespace a /proc/PID/ns link names: 'pid:[4026531836]'. */
export function parseNamespaceLink(link: string): number | undefined {
  const inode = /^[a-z_]+:\[([0-9]{1,16})\]$/.exec(link)?.[1];
  return inode === undefined ? undefined : Number(inode);
}
