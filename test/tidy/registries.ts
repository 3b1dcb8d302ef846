import type { Route } from '../../src/core/model/api.ts';
import type { FaultKind } from '../../src/core/model/fault.ts';
import type { Violation } from './source.ts';

/** Names of a registry against the files of its folder (without the registry itself). */
export function checkRegistry(
  folder: string,
  names: readonly string[],
  files: readonly string[],
): Violation[] {
  const found: Violation[] = [];
  for (const name of names) {
    if (!files.includes(`${name}.ts`)) found.push(`${folder}: '${name}' has no file ${name}.ts`);
    if (names.indexOf(name) !== names.lastIndexOf(name))
      found.push(`${folder}: '${name}' is twice`);
  }
  for (const file of files) {
    if (file === 'registry.ts' || names.includes(file.replace(/\.ts$/, ''))) continue;
    found.push(`${folder}/${file}: is not in the registry`);
  }
  return found;
}

type Described = Pick<FaultKind, 'kind' | 'summary' | 'doc' | 'examples' | 'colour'>;

/** What every kind owes its readers. */
export function checkKinds(kinds: readonly Described[]): Violation[] {
  return kinds.flatMap(({ kind, summary, doc, examples, colour }) => {
    const found: Violation[] = [];
    const lines = doc.split('\n').filter((line) => line.trim() !== '').length;
    if (!/^[A-Z].*\.$/.test(summary) || summary.includes('\n')) {
      found.push(`${kind}: its summary is one line that ends with a full stop`);
    }
    if (lines < 3)
      found.push(`${kind}: its doc has ${lines} lines; say what one will see, at least 3`);
    if (examples.length === 0) found.push(`${kind}: has no example`);
    if (!/^#[0-9a-f]{6}$/.test(colour)) found.push(`${kind}: its colour is no '#rrggbb'`);
    if (!/^[a-z]+(\.[a-z-]+)?$/.test(kind)) found.push(`${kind}: is not named family.term`);
    return found;
  });
}

/** Every act must have a case in each of these files. */
export function checkActs(
  acts: readonly string[],
  homes: readonly { path: string; text: string }[],
): Violation[] {
  return homes.flatMap((home) =>
    acts
      .filter((act) => !home.text.includes(`case '${act}'`))
      .map((act) => `${home.path}: has no case for the act '${act}'`),
  );
}

/** Names of the acts, out of the union that declares them. */
export function actNames(actSource: string): string[] {
  return [...actSource.matchAll(/\{\s*act: '([^']+)'/g)].map((match) => match[1] ?? '');
}

/** Every route has a handler of its name (an upgrade: its path) and a row in the documentation. */
export function checkRoutes(
  routes: readonly Pick<Route, 'name' | 'method' | 'path' | 'answers'>[],
  handlers: string,
  docs: string,
): Violation[] {
  return routes.flatMap(({ name, method, path, answers }) => {
    const found: Violation[] = [];
    const handled = new RegExp(`\\b${name}\\b\\s*(:|\\(|,|\\n)`).test(handlers);
    const upgraded = 101 in answers && handlers.includes(`${method} ${path}`);
    if (!handled && !upgraded) {
      found.push(`route ${name} (${method} ${path}) has no handler`);
    }
    if (!docs.includes(`\`${method} ${path}\``)) {
      found.push(`route ${name} (${method} ${path}) is not in the reference`);
    }
    return found;
  });
}
