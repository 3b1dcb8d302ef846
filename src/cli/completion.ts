import { buildCommand } from '@stricli/core';
import { printLine, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';

const FUNCTION = `_faultline() {
  local word
  COMPREPLY=()
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(
    "\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
  )
}
complete -o default -F _faultline faultline ./faultline`;

/** Zsh runs bash's own completions, once told to. */
const SCRIPTS = {
  bash: FUNCTION,
  zsh: `autoload -U +X bashcompinit && bashcompinit\n${FUNCTION}`,
} as const;

type Shell = keyof typeof SCRIPTS;

/** @throws SyntaxError naming the shells there are. */
function parseShell(input: string): Shell {
  if (input === 'bash' || input === 'zsh') return input;
  throw new SyntaxError(`'${input}' is none of ${Object.keys(SCRIPTS).join(', ')}`);
}

export const completionCommand = buildCommand<Record<string, never>, [Shell], CliContext>({
  docs: {
    brief: 'Print the completion of commands and flags for a shell',
    fullDescription: withExamples('A script to be read by the shell, bash or zsh.', [
      ['faultline completion bash > /etc/bash_completion.d/faultline', 'for everybody'],
      ['eval "$(faultline completion bash)"', 'in ~/.bashrc'],
    ]),
  },
  parameters: {
    flags: {},
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'bash, zsh',
          parse: parseShell,
          placeholder: 'SHELL',
          proposeCompletions: () => Object.keys(SCRIPTS),
        },
      ],
    },
  },
  func(_flags, shell) {
    printLine(this, SCRIPTS[shell]);
  },
});
