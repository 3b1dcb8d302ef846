import { parseArgs } from 'node:util';
import { Failure } from '../core/base/failure.ts';
import { describeVerdict } from '../core/checkers/engine/describe.ts';
import { checkNames } from '../core/checkers/registry.ts';
import { EXIT_CODES } from '../core/model/verdict.ts';
import { checkHistoryFile } from '../host/workload/check-file.ts';

/** `check HISTORY [--json] [--checks a,b]`: exit 0 valid, 1 invalid, 2 unknown, 64 usage. */
function usage(message: string): never {
  console.error(`${message}\nusage: check HISTORY [--json] [--checks NAME,NAME]`);
  process.exit(64);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, checks: { type: 'string' } },
});
const [path] = positionals;
if (path === undefined || positionals.length > 1) usage('one history, please');
const checks = values.checks?.split(',');
for (const name of checks ?? []) {
  if (!checkNames().includes(name))
    usage(`no check '${name}'; there are ${checkNames().join(', ')}`);
}
try {
  const verdict = await checkHistoryFile(path, checks === undefined ? {} : { checks });
  if (values.json === true) console.log(JSON.stringify(verdict));
  else for (const line of describeVerdict(verdict)) console.log(line);
  process.exitCode = EXIT_CODES[verdict.verdict];
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
