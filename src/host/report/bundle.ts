import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../core/base/failure.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What the page is built from: a change in any of it makes another bundle. */
const SOURCES = ['src/web', 'src/core/base', 'src/core/model', 'package-lock.json'];

/** A page's script and style sheet, each safe inside its element. */
export interface WebBundle {
  script: string;
  style: string;
}

async function hashOf(sources: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    const full = path.join(ROOT, source);
    const names = source.includes('.') ? [''] : await readdir(full, { recursive: true });
    for (const name of names.sort()) {
      if (name !== '' && !/\.(ts|css)$/.test(name)) continue;
      hash.update(`${source}/${name}\0`).update(await readFile(path.join(full, name)));
    }
  }
  return hash.digest('hex').slice(0, 24);
}

async function build(entry: string): Promise<WebBundle> {
  // Loaded only here: nothing else of Faultline needs it at run time.
  const vite = await import('vite');
  const result = await vite.build({
    configFile: false,
    root: ROOT,
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      target: 'es2022',
      cssCodeSplit: false,
      lib: { entry: path.join(ROOT, entry), formats: ['iife'], name: 'faultline' },
    },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) =>
    'output' in one ? one.output : [],
  );
  const script = outputs.map((file) => (file.type === 'chunk' ? file.code : '')).join('\n');
  const style = outputs
    .map((file) => (file.type === 'asset' && file.fileName.endsWith('.css') ? file.source : ''))
    .join('\n');
  return {
    script: script.replaceAll(/<\/(script)/gi, '<\\/$1').replaceAll('<!--', '<\\!--'),
    style: style.replaceAll(/<\/(style)/gi, '<\\/$1'),
  };
}

/**
 * The bundle of a page, built with vite when its sources have changed and kept in .cache/web.
 * @throws Failure 'web-build' where it can't be built (the development packages are not installed).
 */
export async function webBundle(entry: string): Promise<WebBundle> {
  const hash = await hashOf(SOURCES);
  const name = entry.replaceAll('/', '-');
  const folder = path.join(ROOT, '.cache', 'web');
  const file = path.join(folder, `${name}-${hash}.json`);
  try {
    return JSON.parse(await readFile(file, 'utf8')) as WebBundle;
  } catch {
    // Not built yet from these sources, or torn: built now.
  }
  let bundle: WebBundle;
  try {
    bundle = await build(entry);
  } catch (cause) {
    throw new Failure('web-build', `the page ${entry} can't be built; run './run setup'`, {
      definite: true,
      cause,
    });
  }
  await mkdir(folder, { recursive: true });
  // Renamed into place, so that two builds at once never show half a file.
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, JSON.stringify(bundle));
  await rename(temporary, file);
  return bundle;
}
