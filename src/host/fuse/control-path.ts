import { shortHash } from '../../core/base/hash.ts';

export const CONTROL_DIRECTORY = '/run/faultline/disk';

/** Where the control of a mount listens: outside the mount, so that no fault can lock it out. */
export function controlPath(mountPoint: string): string {
  return `${CONTROL_DIRECTORY}/${shortHash(mountPoint)}.sock`;
}
