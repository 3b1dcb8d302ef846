/**
 * Asks the real daemons of Trogdor (its jars: './run setup') everything the conformance suite asks, and
 * writes down what they answer: `node tools/record-trogdor.ts`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { converse } from '../test/support/trogdor/converse.ts';
import { AGENT_EXCHANGES, COORDINATOR_EXCHANGES } from '../test/support/trogdor/exchanges.ts';
import { RealTrogdor } from '../test/support/trogdor/real.ts';

const RECORDED = join(import.meta.dirname, '..', 'test', 'conformance', 'trogdor');

const real = new RealTrogdor();
try {
  await real.start();
  mkdirSync(RECORDED, { recursive: true });
  const agentUrl = await real.startLoneAgent();
  for (const [name, answers] of [
    ['coordinator', await converse(real.coordinatorUrl, COORDINATOR_EXCHANGES)],
    ['agent', await converse(agentUrl, AGENT_EXCHANGES)],
  ] as const) {
    const lines = answers.map((answer) => JSON.stringify(answer));
    writeFileSync(join(RECORDED, `${name}.json`), `[\n${lines.join(',\n')}\n]\n`);
    console.log(`${name}: ${answers.length} answers`);
  }
} finally {
  real.close();
}
