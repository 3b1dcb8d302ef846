import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSIDE } from './place.ts';

/** Log directories of a broker; the first is on Faultline's file system unless there are no disks. */
export interface Disks {
  logDirectories: string[];
  /** Where the metadata log is: on the last, so that a broker of two survives the loss of the first. */
  metadataDirectory: string;
  /** Shown by Faultline's file system. */
  mounted: string[];
}

const KAFKA = '/var/lib/kafka';

/**
 * @param count 1: one log directory, on the file system; 2: another that is not; 0: one that is not.
 */
export function disksOf(count: number): Disks {
  const data = `${KAFKA}/data`;
  if (count === 2) {
    const plain = `${KAFKA}/plain`;
    return { logDirectories: [data, plain], metadataDirectory: plain, mounted: [data] };
  }
  return { logDirectories: [data], metadataDirectory: data, mounted: count === 0 ? [] : [data] };
}

/** Where the host keeps what is at a path of /var/lib inside the node. */
export function hostPathOf(nodeDirectory: string, inside: string): string {
  return join(nodeDirectory, 'var-lib', inside.slice('/var/lib/'.length));
}

/** The service 'disk' of a node's init, and that its broker starts on it. */
export function writeDiskFiles(nodeDirectory: string, { mounted: [path] }: Disks): void {
  if (path === undefined) return;
  const etc = join(nodeDirectory, 'etc');
  mkdirSync(hostPathOf(nodeDirectory, path), { recursive: true });
  writeFileSync(join(etc, 'disk.argv'), `${INSIDE.checkout}/lab/node-disk\n${path}\n`);
  writeFileSync(join(etc, 'disk.mounts'), `${path}\n`);
  writeFileSync(join(etc, 'broker.needs'), 'disk\n');
}
