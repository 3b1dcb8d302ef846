import { join } from 'node:path';
import { checkSchema } from '../../core/base/schema.ts';
import { Failure } from '../../core/base/failure.ts';
import { Id } from '../../core/model/topology.ts';

/** Where the files of a lab are. Everything below `directory` is the lab's own. */
export interface LabPlace {
  name: string;
  directory: string;
  recordFile: string;
  clusterFile: string;
  tokenFile: string;
  /** The switch's network namespace, held by a mount on this file. */
  switchFile: string;
  coordinatorState: string;
  coordinatorLog: string;
}

export function labsDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return env['FAULTLINE_LAB_DIR'] ?? '/var/lib/faultline-lab';
}

/** @throws Failure 'bad-name' for a name that could leave the labs' directory or trip the kernel. */
export function placeOf(name: string, base: string = labsDirectory()): LabPlace {
  const checked = checkSchema(Id, name);
  if (!checked.ok) {
    throw new Failure(
      'bad-name',
      `'${name}' cannot name a lab: lower-case letters, digits and dashes, beginning with a letter or digit`,
      {
        definite: true,
      },
    );
  }
  const directory = join(base, name);
  return {
    name,
    directory,
    recordFile: join(directory, 'lab.json'),
    clusterFile: join(directory, 'cluster.yaml'),
    tokenFile: join(directory, 'token'),
    switchFile: join(directory, 'switch.net'),
    coordinatorState: join(directory, 'coordinator'),
    coordinatorLog: join(directory, 'coordinator.log'),
  };
}

export const nodeDirectory = (place: LabPlace, node: string): string =>
  join(place.directory, 'nodes', node);

/** The path of the checkout, of the jars and of the node's own files as its processes see them. */
export const INSIDE = {
  checkout: '/run/faultline-lab/checkout',
  kafka: '/run/faultline-lab/kafka',
  node: '/run/faultline-lab/node',
} as const;
