import path from 'node:path';
import { codeOf, type SourceFile, type Violation } from './source.ts';

/**
 * What each folder may import, itself aside (ARCHITECTURE.md, layers). The longest prefix of a file's
 * path decides which row it belongs to; a file in no row may import anything (tests, tools).
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/core/base': [],
  'src/core/model': ['src/core/base'],
  'src/core/codec': ['src/core/base', 'src/core/model'],
  'src/core/disk': ['src/core/base', 'src/core/model', 'src/core/codec'],
  'src/core/faults': [
    'src/core/base',
    'src/core/model',
    'src/core/codec',
    'src/core/disk',
    'src/core/network',
    'src/core/proxy',
  ],
  'src/core/proxy': ['src/core/base', 'src/core/model', 'src/core/codec'],
  'src/core/network': ['src/core/base', 'src/core/model'],
  'src/core/workloads': ['src/core/base', 'src/core/model'],
  'src/core/checkers': ['src/core/base', 'src/core/model'],
  'src/core/schedule': ['src/core/base', 'src/core/model', 'src/core/codec', 'src/core/faults'],
  'src/core/trogdor': ['src/core/base', 'src/core/model', 'src/core/disk', 'src/core/workloads'],
  'src/core/agent': [
    'src/core/base',
    'src/core/model',
    'src/core/codec',
    'src/core/faults',
    'src/core/schedule',
  ],
  'src/core/coordinator': [
    'src/core/base',
    'src/core/model',
    'src/core/codec',
    'src/core/faults',
    'src/core/schedule',
    'src/core/workloads',
    'src/core/checkers',
  ],
  'src/web': ['src/core'],
  'src/host': ['src/core'],
  'src/cli': ['src/core', 'src/host'],
  'src/bin': ['src/core', 'src/host', 'src/cli'],
};

/** Packages a folder may import: all that are not named may import any. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'src/core': ['typebox', 'typebox/value', 'typebox/system', 'typebox/format'],
  'src/web': ['uplot', 'uplot/dist/uPlot.min.css'],
};

export interface Import {
  /** The resolved path from the root, or the package's name. */
  target: string;
  line: number;
  /** Gone when types are stripped. */
  typeOnly: boolean;
}

const IMPORT =
  /(?:^|[\n;])[ \t]*(import|export)\s+(type\s+)?[^'";]*?\bfrom\s*(['"])([^'"\n]+)\3|(?:^|[\n;])[ \t]*import\s*(['"])([^'"\n]+)\5|\bimport\(\s*(['"])([^'"\n]+)\7\s*\)/g;

export function importsOf(file: SourceFile): Import[] {
  const code = codeOf(file.text, true);
  return [...code.matchAll(IMPORT)].map((match) => {
    const name = match[4] ?? match[6] ?? match[8] ?? '';
    const start = match.index + (match[0].startsWith('\n') ? 1 : 0);
    return {
      target: name.startsWith('.') ? path.posix.join(path.posix.dirname(file.path), name) : name,
      line: code.slice(0, start).split('\n').length,
      typeOnly: match[2] !== undefined,
    };
  });
}

function rowOf(name: string, table: Readonly<Record<string, unknown>>): string | undefined {
  const rows = Object.keys(table).filter((row) => name === row || name.startsWith(`${row}/`));
  return rows.sort((a, b) => b.length - a.length)[0];
}

/** Imports that go against an arrow, or bring a package where none may be. */
export function checkLayers(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const row = rowOf(file.path, MAY_IMPORT);
    if (row === undefined) return [];
    const allowed = [row, ...(MAY_IMPORT[row] ?? [])];
    const packages = PACKAGES[rowOf(file.path, PACKAGES) ?? ''];
    return importsOf(file).flatMap(({ target, line }) => {
      const where = `${file.path}:${line}:`;
      if (!/^(src|test|tools|lab|bench)\//.test(target)) {
        if (packages === undefined || packages.includes(target) || target.endsWith('.css'))
          return [];
        return [
          `${where} imports the package '${target}'; here only ${packages.join(', ')} may be`,
        ];
      }
      if (allowed.some((folder) => target.startsWith(`${folder}/`))) return [];
      return [
        `${where} imports ${target}; ${row} may import ${allowed.slice(1).join(', ') || 'nothing'}`,
      ];
    });
  });
}

/** Modules that load each other in a circle; types alone make none. */
export function checkCycles(files: readonly SourceFile[]): Violation[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ typeOnly }) => !typeOnly)
        .map(({ target }) => target),
    ]),
  );
  const done = new Set<string>();
  const found = new Set<string>();
  const walk = (name: string, way: string[]): void => {
    const seen = way.indexOf(name);
    if (seen >= 0) {
      const circle = way.slice(seen);
      const first = circle.indexOf([...circle].sort((a, b) => (a < b ? -1 : 1))[0] ?? '');
      found.add([...circle.slice(first), ...circle.slice(0, first)].join(' -> '));
      return;
    }
    if (done.has(name)) return;
    for (const target of graph.get(name) ?? []) if (graph.has(target)) walk(target, [...way, name]);
    done.add(name);
  };
  for (const name of graph.keys()) walk(name, []);
  return [...found].map((circle) => `import cycle: ${circle}`);
}
