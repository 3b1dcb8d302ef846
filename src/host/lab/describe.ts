import { join } from 'node:path';
import type { Role } from '../../core/model/topology.ts';
import { bootstrapOf } from './kafka-files.ts';
import { initPidOf } from './node-namespace.ts';
import { nodeDirectory, type LabPlace } from './place.ts';
import type { LabRecord } from './record.ts';
import { ducktapeFile } from './ssh.ts';

/** What `lab up --json` prints; scripts rely on it. */
export interface LabDescription {
  name: string;
  nodes: {
    name: string;
    address: string;
    address6: string | null;
    roles: Role[];
    /** URL of its agent; null: the lab runs no agents. */
    agent: string | null;
    /** As this machine numbers it; null: it has ended. */
    initPid: number | null;
    /** On this machine's disk. */
    dataDirectory: string;
    logDirectory: string;
  }[];
  /** host:port of every broker, reachable from this machine. */
  bootstrap: string;
  /** null: the lab runs no coordinator. */
  coordinator: { url: string; tokenFile: string } | null;
  clusterFile: string;
  /** ducktape's cluster.json; null: its nodes have no sshd. */
  ducktapeFile: string | null;
  directory: string;
  /** This machine as the nodes see it. */
  hostAddress: string;
}

export function describeLab(place: LabPlace, record: LabRecord): LabDescription {
  return {
    name: record.name,
    nodes: record.nodes.map((node) => {
      const directory = nodeDirectory(place, node.name);
      return {
        name: node.name,
        address: node.address,
        address6: node.address6,
        roles: node.roles,
        agent: node.agent,
        initPid: initPidOf(place, node.name) ?? null,
        dataDirectory: join(directory, 'var-lib', 'kafka'),
        logDirectory: join(directory, 'log'),
      };
    }),
    bootstrap: bootstrapOf(record.nodes),
    coordinator:
      record.coordinator === null
        ? null
        : { url: record.coordinator.url, tokenFile: place.tokenFile },
    clusterFile: place.clusterFile,
    ducktapeFile: record.ssh === true ? ducktapeFile(place) : null,
    directory: place.directory,
    hostAddress: record.hostAddress,
  };
}
