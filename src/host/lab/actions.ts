import { enterNode, showLog, type Log } from './access.ts';
import type { LabDescription } from './describe.ts';
import { takeDown } from './down.ts';
import { labNames, labStatus, type LabStatus } from './status.ts';
import { bringUp, type LabOptions } from './up.ts';

/** All that the command line does with labs; handed to it by the composition root. */
export interface LabActions {
  up(options: Omit<LabOptions, 'root'>): Promise<LabDescription>;
  down(name: string): Promise<boolean>;
  status(name: string): Promise<LabStatus>;
  names(): string[];
  log(name: string, node: string, log: Log, follow: boolean): Promise<number>;
  shell(name: string, node: string, argv: readonly string[]): Promise<number>;
}

/** @param root the checkout: where lab/, the launcher and the cache are. */
export function labActions(root: string): LabActions {
  return {
    up: (options) => bringUp({ ...options, root }),
    down: takeDown,
    status: labStatus,
    names: labNames,
    log: showLog,
    shell: enterNode,
  };
}
