import { dirname, resolve } from 'node:path';
import { checkScenario } from '../core/coordinator/check-scenario.ts';
import { parseDuration } from '../core/base/duration.ts';
import { describeProblem } from '../core/base/problem.ts';
import { checkSchema } from '../core/base/schema.ts';
import type { Scenario } from '../core/model/scenario.ts';
import { Cluster, type Topology } from '../core/model/topology.ts';
import { CliError } from './cli-error.ts';
import { placed, readDocument, type DocumentFile, type PlacedProblem } from './document.ts';
import { EXIT } from './exit-codes.ts';
import { LabRequest } from '../core/model/lab-layout.ts';
import { labTopology } from './lab-topology.ts';

/** A scenario that was read and found right, with the nodes it was checked against. */
export interface ScenarioFile {
  file: string;
  scenario: Scenario;
  topology: Topology;
}

/** @throws CliError with every problem, each with its line. */
export function wrongDocument(
  document: DocumentFile,
  problems: readonly PlacedProblem[],
): CliError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new CliError(`'${document.file}' has ${count}`, {
    exitCode: EXIT.data,
    problems: problems.map((problem) => ({ ...problem })),
    remedy: `the fields are in docs/reference, and editors know them by the schema beside it`,
  });
}

/** `file:line:column: problem`, as compilers write it. */
export function problemLine(file: string, problem: PlacedProblem): string {
  const place = problem.line === undefined ? '' : `:${problem.line}:${problem.column ?? 1}`;
  return `${file}${place}: ${describeProblem(problem)}`;
}

/** The nodes of cluster.yaml. @throws CliError with every problem. */
export function readCluster(file: string): Cluster {
  const document = readDocument(file);
  const checked = checkSchema(Cluster, document.value);
  if (!checked.ok) throw wrongDocument(document, placed(document, checked.problems));
  return checked.value;
}

interface NamesCluster {
  cluster?: { file?: unknown; lab?: unknown } | null;
}

/** The nodes a scenario speaks of: its cluster.yaml, or those its lab will have. */
export function topologyFor(document: DocumentFile, clusterFile?: string): Topology {
  const { cluster } = (document.value ?? {}) as NamesCluster;
  if (clusterFile !== undefined) return readCluster(clusterFile);
  if (typeof cluster?.file === 'string') {
    return readCluster(resolve(dirname(document.file), cluster.file));
  }
  // A lab that is wrong is said elsewhere: the nodes of the usual one do here.
  const lab = checkSchema(LabRequest, cluster?.lab ?? {});
  return labTopology(lab.ok ? lab.value : {});
}

export interface ScenarioOptions {
  /** A cluster.yaml in place of what the document names. */
  clusterFile?: string;
  /** In place of the document's own duration. */
  duration?: string;
  /** The nodes that are there, whatever the document names. */
  topology?: Topology;
}

/**
 * Reads and checks a scenario.
 * @throws CliError with every problem, lines included.
 */
export function readScenario(file: string, options: ScenarioOptions = {}): ScenarioFile {
  const document = readDocument(file);
  const topology = options.topology ?? topologyFor(document, options.clusterFile);
  const value = withDuration(document.value, options.duration);
  const checked = checkScenario(value, topology);
  if (!checked.ok) throw wrongDocument(document, placed(document, checked.problems));
  return { file, scenario: checked.value, topology };
}

function withDuration(document: unknown, duration: string | undefined): unknown {
  if (duration === undefined || typeof document !== 'object' || document === null) return document;
  if (parseDuration(duration) === undefined) {
    throw new CliError(`'${duration}' is not a duration`, {
      exitCode: EXIT.usage,
      remedy: "a number with its unit: '90s', '1m30s'",
    });
  }
  return { ...document, duration };
}
