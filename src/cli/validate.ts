import { buildCommand } from '@stricli/core';
import { checkScenario } from '../core/coordinator/check-scenario.ts';
import { checkSchema } from '../core/base/schema.ts';
import type { Problem } from '../core/base/problem.ts';
import { Cluster } from '../core/model/topology.ts';
import { exitWith, printJson, printLine, type CliContext } from './context.ts';
import { placed, readDocument, type DocumentFile, type PlacedProblem } from './document.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { jsonFlag, textFlag } from './flags.ts';
import { problemLine, topologyFor } from './scenario-file.ts';

/** cluster.yaml has nodes, a scenario has a format version: one look tells which is meant. */
function isCluster(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'nodes' in value && !('faultline' in value);
}

function problemsOf(document: DocumentFile, clusterFile: string | undefined): Problem[] {
  if (isCluster(document.value)) {
    const checked = checkSchema(Cluster, document.value);
    return checked.ok ? [] : checked.problems;
  }
  const checked = checkScenario(document.value, topologyFor(document, clusterFile));
  return checked.ok ? [] : checked.problems;
}

interface Flags {
  readonly cluster?: string;
  readonly json: boolean;
}

export const validateCommand = buildCommand<Flags, string[], CliContext>({
  docs: {
    brief: 'Check a scenario or cluster document: all problems at once',
    fullDescription: withExamples(
      `Checks documents without any cluster: their shape, the kinds they name and their parameters,
selectors, durations, weights. All problems at once, each with file, line and column.
Exit code 0: all fine; 65: problems.`,
      [
        ['faultline validate scenarios/demo.yaml', 'one scenario'],
        ['faultline validate scenarios/*.yaml cluster.yaml', 'several documents'],
        ['faultline validate mine.yaml --cluster cluster.yaml --json', 'against real nodes'],
      ],
    ),
  },
  parameters: {
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        brief: 'scenario or cluster documents, YAML or JSON',
        parse: (input: string) => input,
        placeholder: 'FILE',
      },
    },
    flags: {
      cluster: textFlag('FILE', 'a cluster.yaml in place of what the scenarios name'),
      json: jsonFlag,
    },
  },
  func(flags, ...files) {
    const documents: { file: string; valid: boolean; problems: PlacedProblem[] }[] = [];
    for (const file of files) {
      const document = readDocument(file);
      const problems = placed(document, problemsOf(document, flags.cluster));
      documents.push({ file, valid: problems.length === 0, problems });
    }
    const wrong = documents.some(({ valid }) => !valid);
    exitWith(this, wrong ? EXIT.data : EXIT.ok);
    if (flags.json) return printJson(this, { valid: !wrong, documents });
    for (const { file, valid, problems } of documents) {
      if (valid) printLine(this, `${file}: fine`);
      for (const problem of problems) printLine(this, problemLine(file, problem));
    }
  },
});
