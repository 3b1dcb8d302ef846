import { proposeCompletions } from '@stricli/core';
import { buildApp } from './app.ts';
import { COMMANDS } from './commands.ts';
import type { CliContext } from './context.ts';

/** What may stand in the place of the last of these words, the part of it that is typed included. */
export async function completionsOf(
  words: readonly string[],
  version: string,
  context: CliContext,
): Promise<string[]> {
  const [called] = words;
  const known = called !== undefined && Object.hasOwn(COMMANDS, called) ? called : undefined;
  const app = await buildApp(known, version);
  const proposed = await proposeCompletions(app, words, context);
  const typed = words.at(-1) ?? '';
  return proposed.map(({ completion }) => completion).filter((word) => word.startsWith(typed));
}
