import { ask, askText } from './ask.ts';
import {
  readOptions,
  TrogdorCliError,
  TrogdorHelp,
  type Given,
  type Option,
  type Options,
} from './arguments.ts';
import { durationText, instantText } from './format.ts';

/** Where a command prints. */
export type Print = (text: string) => void;

/** A command of one of Trogdor's clients. @returns the exit code. */
export interface TrogdorCommand {
  says: string;
  options: Options;
  run(target: string, given: Given, print: Print): Promise<number>;
}

const target: Option = {
  short: 't',
  required: true,
  says: 'host and port of the daemon, example.com:8889',
};
export const json: Option = { isSwitch: true, says: 'show the full response as JSON' };

/** The first value of an option; '' where it was not given. */
export function only(given: Given, name: string): string {
  return given[name]?.[0] ?? '';
}

/** uptime and status are the same of both daemons, but for their names. */
export function uptimeCommand(what: 'Agent' | 'Coordinator'): TrogdorCommand {
  return {
    says: `Get the ${what.toLowerCase()} uptime.`,
    options: { json },
    run: async (at, given, print) => {
      const path = `/${what.toLowerCase()}/uptime`;
      if (given['json']) return printText(print, await askText(at, 'GET', path));
      const { serverStartMs, nowMs } = (await ask(at, 'GET', path)) as Record<string, number>;
      const [start = 0, now = 0] = [serverStartMs, nowMs];
      print(
        `${what} is running at ${at}.\n` +
          `\tStart time: ${instantText(start)}\n` +
          `\tCurrent server time: ${instantText(now)}\n` +
          `\tUptime: ${durationText(now - start)}\n`,
      );
      return 0;
    },
  };
}

export function printText(print: Print, text: string): number {
  print(`${text}\n`);
  return 0;
}

function overview(program: string, commands: Readonly<Record<string, TrogdorCommand>>): string {
  const lines = Object.entries(commands).map(([name, { says }]) => `  ${name.padEnd(14)} ${says}`);
  return `usage: ${program} {${Object.keys(commands).join(',')}} ...\n${lines.join('\n')}`;
}

/** Runs one of a client's commands. @throws TrogdorCliError, TrogdorHelp */
export async function runClient(
  program: string,
  commands: Readonly<Record<string, TrogdorCommand>>,
  argv: readonly string[],
  print: Print,
): Promise<number> {
  // A target before the command is meant for it.
  const at = argv.findIndex((argument) => commands[argument] !== undefined);
  const name = argv[at] ?? '';
  const command = commands[name];
  if (argv.includes('-h') && !command) throw new TrogdorHelp(overview(program, commands));
  if (!command)
    throw new TrogdorCliError(
      `${overview(program, commands)}\n${program}: You must choose an action.`,
    );
  const rest = [...argv.slice(0, at), ...argv.slice(at + 1)];
  const given = readOptions(`${program} ${name}`, rest, { target, ...command.options });
  return command.run(only(given, 'target'), given, print);
}
