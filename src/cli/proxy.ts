import { readFileSync } from 'node:fs';
import { buildCommand } from '@stricli/core';
import { parseDocument } from 'yaml';
import { Random } from '../core/base/random.ts';
import { describeProblem, type Problem } from '../core/base/problem.ts';
import { checkSchema } from '../core/base/schema.ts';
import { ProxyRules, type ProxyRule } from '../core/model/proxy-rule.ts';
import { RuleSet } from '../core/proxy/decide.ts';
import { checkRules } from '../core/proxy/rule.ts';
import { CliError } from './cli-error.ts';
import { printJson, printLine, remark, type CliContext } from './context.ts';
import { withExamples } from './examples.ts';
import { EXIT } from './exit-codes.ts';
import { jsonFlag, seedFlag, textFlag } from './flags.ts';

interface ProxyFlags {
  listen: string;
  bootstrap: string;
  advertise?: string;
  rules?: string;
  seed?: string;
  json: boolean;
}

const DEFAULT_SEED = '1';

/** @throws CliError with every problem of the rules. */
function readRules(path: string | undefined): ProxyRule[] {
  if (path === undefined) return [];
  const document: unknown = parseDocument(readFileSync(path, 'utf8')).toJS();
  const checked = checkSchema(ProxyRules, document);
  const problems: readonly Problem[] = checked.ok
    ? checkRules(checked.value, '')
    : checked.problems;
  if (checked.ok && problems.length === 0) return checked.value;
  const lines = problems.map((problem) => `  ${describeProblem(problem)}`);
  throw new CliError(`${path} is no list of rules:\n${lines.join('\n')}`, {
    exitCode: EXIT.data,
  });
}

export const proxyCommand = buildCommand<ProxyFlags, [], CliContext>({
  docs: {
    brief: 'A proxy for Kafka clients that meets single requests with trouble; needs no root',
    fullDescription: withExamples(
      `Point clients at --listen. The addresses in Metadata, DescribeCluster and FindCoordinator become the
proxy's own, a port above --listen for each broker, so that clients stay. RULES is a YAML or JSON list of
the rules of the fault kind kafka.request. TLS passes unread. Runs until Ctrl-C, then prints what it did.`,
      [
        [
          'faultline proxy --listen 127.0.0.1:19092 --bootstrap kafka1:9092 --rules rules.yaml',
          'brokers 1 to 3 are then at ports 19094 to 19096',
        ],
      ],
    ),
  },
  parameters: {
    flags: {
      listen: {
        kind: 'parsed',
        parse: String,
        default: '127.0.0.1:19092',
        placeholder: 'HOST:PORT',
        brief: 'where clients bootstrap',
      },
      bootstrap: {
        kind: 'parsed',
        parse: String,
        placeholder: 'HOST:PORT,...',
        brief: "the cluster's own bootstrap.servers",
      },
      advertise: textFlag('HOST', 'what clients are told; default the host of --listen'),
      rules: textFlag('FILE', 'list of rules; without it everything passes'),
      seed: seedFlag('decides where a ratio fires; default 1'),
      json: jsonFlag,
    },
  },
  async func(flags) {
    const signal = this.catchInterrupt();
    const { parseBootstrap } = await import('../host/kafka/cluster-connections.ts');
    const { PlainProxy } = await import('../host/kafka-proxy/plain.ts');
    const [listen] = parseBootstrap(flags.listen);
    if (listen === undefined) throw new CliError('--listen is empty', { exitCode: EXIT.usage });
    const rules = new RuleSet(
      readRules(flags.rules),
      new Random(BigInt(flags.seed ?? DEFAULT_SEED)),
    );
    const proxy = new PlainProxy({
      listen,
      advertise: flags.advertise ?? listen.host,
      bootstrap: parseBootstrap(flags.bootstrap),
      rules,
      said: (line) => remark(this, `proxy: ${line}`),
    });
    const port = await proxy.start();
    if (flags.json) printJson(this, { listening: `${listen.host}:${port}` });
    else printLine(this, `listening on ${listen.host}:${port}`);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    proxy.close();
    const { counts } = proxy;
    if (flags.json) return printJson(this, counts);
    printLine(this, `${counts.connections} connections, ${counts.requests} requests`);
    for (const [index, { matched, hits }] of counts.rules.entries()) {
      printLine(this, `rule ${index}: fired ${hits} of ${matched} time(s)`);
    }
  },
});
