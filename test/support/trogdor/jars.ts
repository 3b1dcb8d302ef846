import { existsSync } from 'node:fs';
import { join } from 'node:path';

const VERSION = '4.1.0';

/** Where './run test' puts the jars of Trogdor. */
function trogdorJars(): string {
  const cache =
    process.env['FAULTLINE_CACHE'] ?? join(import.meta.dirname, '..', '..', '..', '.cache');
  return join(cache, 'trogdor', VERSION);
}

export function trogdorJarsPresent(): boolean {
  return existsSync(join(trogdorJars(), '.stamp'));
}

/** argv of a class in the jars. */
export function javaOf(main: string, ...rest: string[]): string[] {
  const classPath = join(trogdorJars(), '*');
  return ['java', '-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', classPath, main, ...rest];
}
