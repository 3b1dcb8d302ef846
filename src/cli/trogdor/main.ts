import { reasonOf } from '../../core/base/failure.ts';
import { AGENT_COMMANDS } from './agent-client.ts';
import { TrogdorCliError, TrogdorHelp } from './arguments.ts';
import { runClient, type Print } from './command.ts';
import { COORDINATOR_COMMANDS } from './coordinator-client.ts';

const USAGE = `The command lines of Trogdor, on Faultline.

usage: trogdor.sh ACTION [options]
  agent         the daemon of a node: -c trogdor.conf -n NODE [-e SPEC]
  coordinator   the daemon that knows the tasks: -c trogdor.conf -n NODE
  client        asks a coordinator: uptime, status, showTask, showTasks, createTask, ...
  agent-client  asks an agent: uptime, status, createWorker, stopWorker, ...
  help          this`;

/** @returns the exit code, 1 for everything that went wrong, as Trogdor's do. */
export async function trogdor(argv: readonly string[], stop: AbortSignal): Promise<number> {
  const print: Print = (text) => void process.stdout.write(text);
  const [action, ...rest] = argv;
  try {
    switch (action) {
      case 'agent':
      case 'coordinator': {
        // A client has no use for them, and would take three times as long to start.
        const daemons = await import('./daemons.ts');
        return await daemons[action](rest, print, stop);
      }
      case 'client':
        return await runClient('trogdor-coordinator-client', COORDINATOR_COMMANDS, rest, print);
      case 'agent-client':
        return await runClient('trogdor-agent-client', AGENT_COMMANDS, rest, print);
      case 'help':
      case '-h':
      case '--help':
        print(`${USAGE}\n`);
        return 0;
      default:
        process.stderr.write(`${USAGE}\n`);
        return 1;
    }
  } catch (error) {
    if (error instanceof TrogdorHelp) {
      print(`${error.message}\n`);
      return 0;
    }
    const says = error instanceof TrogdorCliError ? error.message : `trogdor: ${reasonOf(error)}`;
    process.stderr.write(`${says}\n`);
    return 1;
  }
}
