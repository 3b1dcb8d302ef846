import type { Leftover } from '../../src/host/linux/linux.ts';

const END = `p${process.pid}`;

/**
 * The token of a fault that a test makes by hand, with the test's own pid: a fault's processes are known
 * by it on the whole machine, and two runs of one test must not take each other's.
 * @param name lower-case letters and digits, at most 8.
 */
export function ownToken(name: string): string {
  return `faultline-${name}${END}`;
}

/** Whether what is left carries one of this process's tokens; what other runs left is their business. */
export function isOwn({ remove }: Leftover): boolean {
  return JSON.stringify(remove).includes(`${END}"`);
}
