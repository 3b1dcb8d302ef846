import { Type, type Static } from 'typebox';

/**
 * How a process is found: the name of a service in the agent's own configuration, or literal facts.
 * Never a regular expression of the caller's (ARCHITECTURE.md, safety).
 */
export const ProcessMatch = Type.Object(
  {
    /** A service named in the agent's configuration; 'broker' is known everywhere. */
    service: Type.Optional(Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' })),
    /** A file holding the pid. */
    pidFile: Type.Optional(Type.String({ pattern: '^/', maxLength: 1024 })),
    /** The TCP port it listens on. */
    listens: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
    /** Literal parts that must each stand in one of its arguments. */
    argumentParts: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { minItems: 1, maxItems: 16 }),
    ),
    /** A glob (only * and ?) over the whole command line, arguments joined by spaces. */
    glob: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    /** A Java main class: a JVM with exactly this argument. */
    mainClass: Type.Optional(Type.String({ pattern: '^[A-Za-z_$][A-Za-z0-9_$.]*$' })),
    /** A literal part of what jcmd(1) lists of a JVM: its main class or jar, and the arguments after. */
    javaName: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    /** How many processes must match, or 'some': at least one. Anything else refuses the fault. */
    expect: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 1, maximum: 1000, description: '1 to 1000' }),
          Type.Enum(['some']),
        ],
        { default: 1 },
      ),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type ProcessMatch = Static<typeof ProcessMatch>;

/** One process, for ever: a reused pid is another process. */
export interface ProcessRef {
  /** /proc/sys/kernel/random/boot_id */
  bootId: string;
  /** Inode of /proc/PID/ns/pid. */
  pidNamespace: number;
  pid: number;
  /** Field 22 of /proc/PID/stat: start time in clock ticks after boot (proc_pid_stat(5)). */
  birthTicks: number;
}

export function describeProcess(process: ProcessRef): string {
  return `pid ${process.pid} (born at tick ${process.birthTicks})`;
}
