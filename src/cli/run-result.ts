import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describeVerdict } from '../core/checkers/engine/describe.ts';
import { unknownVerdict } from '../core/coordinator/run-verdict.ts';
import type { FaultStatus, NodeStatus } from '../core/model/fault-status.ts';
import type { RunStatus, TimelineEntry } from '../core/model/run.ts';
import type { Verdict } from '../core/model/verdict.ts';
import { reasonOf } from '../core/base/failure.ts';
import type { SeriesEntry } from '../core/model/series.ts';
import { ProblemError, type HttpClient } from '../host/http-client.ts';

/** Everything of a run that its report is made of. */
export interface RunMaterial {
  run: RunStatus;
  faults: FaultStatus[];
  nodes: NodeStatus[];
  timeline: TimelineEntry[];
  repro: string;
}

/** The object that `run --json` and `demo --json` print last; scripts rely on it. */
export interface RunResult {
  verdict: Verdict['verdict'];
  seed: string;
  anomalies: { kind: string; count: number }[];
  faults: {
    id: string;
    kind: string;
    targets: string[];
    /** The last state of each acting node. */
    states: Record<string, string>;
    effect: string;
    endedBy: string | null;
  }[];
  skipped: { id: string; kind: string; reason: string }[];
  acknowledged: number;
  read: number;
  reasons: string[];
  recovery: RunStatus['recovery'] | null;
  report: string | null;
  repro: string;
  run: string;
}

/** Without a verdict (cancelled, failed) nobody knows. */
export function verdictOf(run: RunStatus): Verdict {
  if (run.verdict) return run.verdict;
  const why = run.error ?? (run.outcome === 'cancelled' ? 'the run was cancelled' : 'no verdict');
  return unknownVerdict(why);
}

/** Fetches all there is about a run, the history aside. */
export async function fetchRun(
  client: HttpClient,
  id: string,
  repro: string,
): Promise<RunMaterial> {
  const run = await client.get<RunStatus>(`/v1/runs/${id}`);
  const { faults } = await client.get<{ faults: FaultStatus[] }>('/v1/faults', {
    query: { run: id },
  });
  const { nodes } = await client.get<{ nodes: NodeStatus[] }>('/v1/nodes');
  const timeline: TimelineEntry[] = [];
  for await (const entry of client.lines(`/v1/runs/${id}/timeline`)) {
    timeline.push(entry as TimelineEntry);
  }
  return { run, faults: faults.toReversed(), nodes, timeline, repro };
}

async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}

/** Fetches the history, compressed, into a directory. @returns its path; undefined: there is none. */
export async function fetchHistory(
  client: HttpClient,
  id: string,
  directory: string,
): Promise<string | undefined> {
  const file = join(directory, 'history.jsonl.gz');
  try {
    const lines = Readable.from(jsonLines(client.lines(`/v1/runs/${id}/history`)));
    await pipeline(lines, createGzip(), createWriteStream(file));
    return file;
  } catch (error) {
    // A run that was cancelled or failed has come to no history.
    if (error instanceof ProblemError && error.status === 409) return undefined;
    throw error;
  }
}

/** Writes run.json, verdict.json and report.html. @returns the report's path; undefined: not made. */
export async function writeResult(
  material: RunMaterial,
  directory: string,
  onRemark: (line: string) => void,
): Promise<string | undefined> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'run.json'), `${JSON.stringify(material)}\n`);
  const verdict = verdictOf(material.run);
  writeFileSync(join(directory, 'verdict.json'), `${JSON.stringify(verdict, null, 2)}\n`);
  const series: SeriesEntry[] = [];
  for (const entry of material.timeline) if (entry.entry === 'second') series.push(entry.second);
  try {
    const { writeReport } = await import('../host/report.ts');
    return await writeReport({
      run: material.run,
      timeline: material.timeline.filter(({ entry }) => entry !== 'second'),
      series,
      verdict,
      nodes: material.nodes,
      faults: material.faults,
      repro: material.repro,
      generatedAt: new Date().toISOString(),
      outDir: directory,
    });
  } catch (error) {
    // The verdict stands without its page.
    onRemark(`faultline: no report: ${reasonOf(error)}`);
    return undefined;
  }
}

export function resultOf(material: RunMaterial, report: string | undefined): RunResult {
  const { run, faults, repro } = material;
  const verdict = verdictOf(run);
  return {
    verdict: verdict.verdict,
    seed: run.seed,
    anomalies: verdict.anomalies.map(({ kind, count }) => ({ kind, count })),
    faults: faults.map(({ id, kind, targets, nodes, effect, endedBy }) => ({
      id,
      kind,
      targets,
      states: Object.fromEntries(
        Object.entries(nodes).map(([name, node]) => [name, node.state as string]),
      ),
      effect,
      endedBy: endedBy ?? null,
    })),
    skipped: run.skipped.map(({ id, kind, reason }) => ({ id, kind, reason })),
    acknowledged: verdict.counts.acknowledged || (run.progress?.acknowledged ?? 0),
    read: verdict.counts.read || (run.progress?.read ?? 0),
    reasons: verdict.reasons,
    recovery: run.recovery ?? null,
    report: report ?? null,
    repro,
    run: run.id,
  };
}

/** The end of a run for people. */
export function resultLines(material: RunMaterial, report: string | undefined): string[] {
  const { run, faults } = material;
  const lines = [...describeVerdict(verdictOf(run))];
  if (run.recovery) lines.push(`cluster: ${run.recovery.says}`);
  const seen = faults.filter(({ effect }) => effect === 'seen').length;
  const skipped = run.skipped.length === 0 ? '' : `, ${run.skipped.length} skipped`;
  lines.push(`faults: ${faults.length}, the effect of ${seen} seen${skipped}`);
  if (report !== undefined) lines.push(`report: ${report}`);
  lines.push(`again: ${material.repro}`);
  return lines;
}
