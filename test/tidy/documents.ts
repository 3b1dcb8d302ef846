import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT, type SourceFile, type Violation } from './source.ts';

/** Markdown without what stands in code fences. */
function prose(text: string): string {
  return text.replaceAll(/^(```|~~~)[\s\S]*?^\1\s*$/gm, (fence) => fence.replaceAll(/[^\n]/g, ' '));
}

/** Every page has exactly one title, and it comes first. */
export function checkTitles(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const titles = prose(file.text).match(/^# \S/gm)?.length ?? 0;
    if (titles !== 1) return [`${file.path}: ${titles} titles (#); a page has exactly one`];
    return [];
  });
}

/** The name a heading gets as an anchor, as the usual renderers make it. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[`*]|\[|\]\([^)]*\)/g, '')
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

function anchorsOf(text: string): string[] {
  return [...prose(text).matchAll(/^#{1,6} (.+)$/gm)].map((match) => anchorOf(match[1] ?? ''));
}

/** Relative links lead to files that are there, and to headings that are in them. */
export function checkLinks(
  files: readonly SourceFile[],
  exists: (name: string) => boolean = (name) => existsSync(path.join(ROOT, name)),
): Violation[] {
  return files.flatMap((file) =>
    [...prose(file.text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
      const [target = '', anchor] = (match[1] ?? '').split('#');
      if (/^[a-z]+:/.test(target)) return [];
      const name =
        target === '' ? file.path : path.posix.join(path.posix.dirname(file.path), target);
      const line = file.text.slice(0, match.index).split('\n').length;
      if (!exists(name)) return [`${file.path}:${line}: a link to ${name}, which is not there`];
      const page = files.find((other) => other.path === name);
      if (anchor === undefined || page === undefined) return [];
      if (anchorsOf(page.text).includes(anchor)) return [];
      return [`${file.path}:${line}: ${name} has no heading '#${anchor}'`];
    }),
  );
}
