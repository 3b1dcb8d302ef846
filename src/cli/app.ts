import {
  ArgumentScannerError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  formatMessageForArgumentScannerError,
  text_en,
  type Application,
  type ApplicationText,
} from '@stricli/core';
import { describeThrown, exitCodeOf } from './cli-error.ts';
import { COMMANDS, loadCommand, type Target } from './commands.ts';
import type { CliContext } from './context.ts';
import { withExamples } from './examples.ts';

const ABOUT = withExamples(
  `Faultline injects faults into Apache Kafka clusters, from a seed, and says what the cluster did wrong.
Start with 'faultline demo'. Every command has --help with examples, and --json for scripts.
Exit codes: 0 valid, 1 invalid, 2 unknown (run, demo); 64 wrong usage, 65 wrong document, 66 no
such file, 69 unavailable, 70 bug, 75 refused, 77 not permitted.`,
  [
    ['faultline demo --seed 7', 'a cluster, 60 to 90 seconds of faults, a verdict, a report'],
    ['faultline lab up', 'a cluster that stays'],
    ['faultline schedule scenarios/demo.yaml --seed 7', 'what seed 7 would do'],
    ['faultline run scenarios/demo.yaml --seed 7', 'do it'],
    [
      'faultline fault create network.partition --params \'{"shape":"isolate"}\' --targets n1 --duration 30s',
      'one fault, now, for 30 seconds',
    ],
    ['faultline heal', 'end everything'],
  ],
);

/** Stands for a command that is not the one called: only its name and brief are needed. */
function placeholder(brief: string): Target {
  return buildCommand<Record<string, never>, string[], CliContext>({
    docs: { brief },
    parameters: {
      flags: {},
      positional: { kind: 'array', parameter: { brief: '', parse: (input: string) => input } },
    },
    func: () => undefined,
  });
}

function argumentError(thrown: unknown): string {
  const said =
    thrown instanceof ArgumentScannerError
      ? formatMessageForArgumentScannerError(thrown, {})
      : describeThrown(thrown);
  return `faultline: ${said}\n  --help shows how it is called`;
}

/** Called with what a command threw; returns what standard error shall say. */
export type OnThrown = (thrown: unknown) => string;

function textWith(onThrown: OnThrown): ApplicationText {
  return {
    ...text_en,
    exceptionWhileParsingArguments: argumentError,
    exceptionWhileRunningCommand: onThrown,
    exceptionWhileLoadingCommandFunction: onThrown,
    commandErrorResult: onThrown,
    noCommandRegisteredForInput: ({ input, corrections }) =>
      `faultline: there is no command '${input}'${
        corrections.length > 0 ? `; did you mean ${corrections.join(', ')}?` : ''
      }\n  faultline --help lists them all`,
  };
}

/**
 * The application with one command loaded and the others as names: a cold start pays for what it
 * uses. Without a name (help, a misspelt command) nothing is loaded; with 'all' everything is.
 */
export async function buildApp(
  called: string | undefined,
  version: string,
  onThrown: OnThrown = describeThrown,
): Promise<Application<CliContext>> {
  const routes: Record<string, Target> = {};
  for (const [name, entry] of Object.entries(COMMANDS)) {
    routes[name] =
      called === 'all' || called === name
        ? await loadCommand(name, entry)
        : placeholder(entry.brief);
  }
  const brief = 'A fault injector for Apache Kafka clusters';
  const root = buildRouteMap<string, CliContext>({
    routes,
    docs: { brief, fullDescription: `${brief}\n\n${ABOUT}` },
  });
  return buildApplication<CliContext>(root, {
    name: 'faultline',
    versionInfo: { currentVersion: version },
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { disableAnsiColor: true },
    localization: { text: textWith(onThrown) },
    determineExitCode: exitCodeOf,
  });
}
