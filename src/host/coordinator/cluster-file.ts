import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { describeProblem, type Problem } from '../../core/base/problem.ts';
import { checkCluster } from '../../core/model/cluster-check.ts';
import type { Cluster } from '../../core/model/topology.ts';

function bad(path: string, problems: readonly Problem[]): Failure {
  return new Failure(
    'bad-cluster-file',
    `cluster file ${path}: ${problems.map(describeProblem).join('\n  ')}`,
    { definite: true, context: { problems } },
  );
}

/** Reads cluster.yaml (or JSON). @throws Failure `bad-cluster-file` with every problem. */
export function readClusterFile(path: string): Cluster {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw bad(path, [{ path: '', message: reasonOf(error) }]);
  }
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0)
    throw bad(
      path,
      document.errors.map(({ message }) => ({ path: '', message: message.split('\n')[0] ?? '' })),
    );
  const checked = checkCluster(document.toJS({ maxAliasCount: 100 }));
  if (!checked.ok) throw bad(path, checked.problems);
  return checked.value;
}
