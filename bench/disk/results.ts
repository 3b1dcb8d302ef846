import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Row } from './rows.ts';

export interface Part {
  /** Which directory the backing directories are in. */
  under: string;
  /** By subject, a row a round. */
  rows: Record<string, Row[]>;
}

/** What is kept of a run: enough to go on with it, and to print its tables. */
export interface DiskResults {
  at: string;
  rounds: number;
  seed: number;
  /** One-minute load when each round began, by part. */
  load: Record<string, number[]>;
  parts: Record<string, Part>;
}

/** @returns the run to go on with, or a new one where there is none of the same rounds and seed. */
export function openResults(file: string, fresh: DiskResults, resume: boolean): DiskResults {
  if (!resume || !existsSync(file)) return fresh;
  const kept = JSON.parse(readFileSync(file, 'utf8')) as DiskResults;
  return kept.rounds === fresh.rounds && kept.seed === fresh.seed ? kept : fresh;
}

export function readResults(file: string): DiskResults {
  return JSON.parse(readFileSync(file, 'utf8')) as DiskResults;
}

/** Figures to four digits: more is noise. */
export function saveResults(file: string, results: DiskResults): void {
  mkdirSync(dirname(file), { recursive: true });
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
  writeFileSync(file, `${JSON.stringify(results, rounded, 1)}\n`);
}
