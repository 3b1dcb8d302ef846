import { readFileSync } from 'node:fs';
import { isNode, LineCounter, parseDocument, type Document } from 'yaml';
import { reasonOf } from '../core/base/failure.ts';
import type { Problem } from '../core/base/problem.ts';
import { CliError } from './cli-error.ts';
import { EXIT } from './exit-codes.ts';

/** A YAML or JSON file (JSON is YAML), with where everything stands in it. */
export interface DocumentFile {
  file: string;
  value: unknown;
  /** Line and column of what a JSON pointer names, or of what would hold it; from 1. */
  place(path: string): { line: number; column: number } | undefined;
}

const LARGEST_CHARACTERS = 4 * 1024 * 1024;

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CliError(`cannot read '${file}': ${reasonOf(error)}`, {
      exitCode: EXIT.noInput,
      cause: error,
    });
  }
}

function keysOf(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The document as plain values; a few lines of aliases must not become gigabytes. */
function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new CliError(`'${file}' cannot be read as a document: ${reasonOf(error)}`, {
      exitCode: EXIT.data,
      cause: error,
    });
  }
}

/** The start of the innermost part of the document on the way to a path. */
function offsetOf(document: Document, path: string): number | undefined {
  const keys = keysOf(path);
  for (let length = keys.length; length > 0; length--) {
    const node = document.getIn(keys.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0];
}

/**
 * Reads a document: `-` is standard input.
 * @throws CliError with every problem of its syntax, line and column each.
 */
export function readDocument(file: string): DocumentFile {
  const text = read(file);
  if (text.length > LARGEST_CHARACTERS) {
    throw new CliError(`'${file}' is larger than 4 MiB: not a document of ours`, {
      exitCode: EXIT.data,
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos: [at] }): Problem => {
      const { line, col } = lines.linePos(at);
      return { path: '', message: `line ${line}, column ${col}: ${message}` };
    });
    throw new CliError(`'${file}' is neither YAML nor JSON`, { exitCode: EXIT.data, problems });
  }
  return {
    file,
    value: valueOf(document, file),
    place(path) {
      const offset = offsetOf(document, path);
      if (offset === undefined) return undefined;
      const { line, col } = lines.linePos(offset);
      return { line, column: col };
    },
  };
}

/** The problems of a document with their lines in front: `file:line:column: ...`, as compilers do. */
export function placed(document: DocumentFile, problems: readonly Problem[]): PlacedProblem[] {
  return problems
    .map((problem) => ({ ...problem, ...document.place(problem.path) }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

export type PlacedProblem = Problem & { line?: number; column?: number };
