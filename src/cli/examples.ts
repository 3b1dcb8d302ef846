/**
 * The long part of a command's help: what it does, then commands to copy.
 * @param examples [command line, what it is for].
 */
export function withExamples(
  description: string,
  examples: readonly (readonly [command: string, says: string])[],
): string {
  const lines = examples.flatMap(([command, says]) => [`  # ${says}`, `  ${command}`]);
  return [description, '', 'EXAMPLES', ...lines].join('\n');
}
