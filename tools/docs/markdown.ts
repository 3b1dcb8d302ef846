/** First line of every generated page: whoever edits it by hand is told where to go. */
export const GENERATED =
  '<!-- Made by tools/docs.ts from the declarations in the code; change those, then run it. -->';

/** Text that can stand in a table cell. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim();
}

export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, headings.map(() => '---'), ...rows.map((row) => row.map(cell))];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

export function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** A page out of its parts: empty ones are left out, one blank line between two. */
export function pageOf(title: string, ...parts: readonly string[]): string {
  const all = [GENERATED, `# ${title}`, ...parts.filter((part) => part.trim() !== '')];
  return `${all.map((part) => part.trim()).join('\n\n')}\n`;
}
