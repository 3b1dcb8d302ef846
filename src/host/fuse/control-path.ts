import { shortHash } from '../../core/base/hash.ts';

/** Where the control of a mount listens: outside the mount, so that no fault can lock it out. */
export function controlPath(mountPoint: string): string {
  return `/run/faultline/disk/${shortHash(mountPoint)}.sock`;
}
