import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { LabSize } from '../../core/model/lab-layout.ts';
import type { LabPlace } from './place.ts';
import type { Role } from '../../core/model/topology.ts';
import { birthTicks } from '../boot-clock.ts';

/** A node as the record knows it: all decided before anything is made. */
export interface LabNode {
  name: string;
  kafkaId: number;
  roles: Role[];
  address: string;
  /** null: this machine has no IPv6. */
  address6: string | null;
  /** What its agent answers to; null: the lab runs no agents. */
  agent: string | null;
}

/**
 * What a lab is made of, written before it is made. Taking it down does not depend on the record:
 * everything is found by the lab's directory (marked processes, the link's alias, the switch's file).
 */
export interface LabRecord {
  format: 1;
  name: string;
  /** The process that is making it, until it is `up`. */
  maker: { pid: number; birthTicks: number };
  state: 'making' | 'up';
  /** Of 198.18.0.0/15: the /24 with this index, 0 to 511; -1: not chosen yet. */
  subnet: number;
  hostAddress: string;
  nodes: LabNode[];
  agents: boolean;
  /** An sshd on every node; absent in records of before there were any. */
  ssh?: boolean;
  /** Release of Kafka, and log directories of a broker; absent in records of before they were kept. */
  kafka?: string;
  disks?: number;
  coordinator: { url: string } | null;
  clusterId: string;
}

export function writeRecord(place: LabPlace, record: LabRecord): void {
  const next = `${place.recordFile}.new`;
  writeFileSync(next, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(next, place.recordFile);
}

/** @returns undefined where no lab of that name is, or it died before its record was written. */
export function readRecord(place: LabPlace): LabRecord | undefined {
  try {
    return JSON.parse(readFileSync(place.recordFile, 'utf8')) as LabRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether the process that began to make this lab is still at it. */
export function makerAlive(record: LabRecord): boolean {
  return birthTicks(record.maker.pid) === record.maker.birthTicks;
}

/** As a scenario asks for it. */
export function sizeOf({ nodes, kafka, disks }: LabRecord): LabSize {
  const brokers = nodes.filter(({ roles }) => roles.includes('broker')).length;
  const controllers = nodes.filter(
    ({ roles }) => roles.includes('controller') && !roles.includes('broker'),
  ).length;
  return { brokers, controllers, kafka, disks };
}
