import { readFileSync } from 'node:fs';
import { boottimeMs } from './linux/libc.ts';

/** Ms since boot, with a fraction: what deadlines and leases are measured on. */
export function bootMs(): number {
  return boottimeMs();
}

/** The random id of this boot (random(4)); another one means that nothing volatile is left. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
