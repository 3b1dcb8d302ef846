/**
 * Asks the real daemons of Trogdor (its jars: './run setup') everything the conformance suite asks, and
 * writes down what they answer, and what its generators make: `node tools/record-trogdor.ts`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { converse } from '../test/support/trogdor/converse.ts';
import { AGENT_EXCHANGES, COORDINATOR_EXCHANGES } from '../test/support/trogdor/exchanges.ts';
import { PAYLOAD_CASES } from '../test/support/trogdor/payload-cases.ts';
import { makePayloads } from '../test/support/trogdor/real-payloads.ts';
import { RealTrogdor } from '../test/support/trogdor/real.ts';

const RECORDED = join(import.meta.dirname, '..', 'test', 'conformance', 'trogdor');

function write(name: string, rows: readonly unknown[]): void {
  const lines = rows.map((row) => JSON.stringify(row));
  writeFileSync(join(RECORDED, `${name}.json`), `[\n${lines.join(',\n')}\n]\n`);
  console.log(`${name}: ${rows.length} answers`);
}

mkdirSync(RECORDED, { recursive: true });
write('payloads', makePayloads(PAYLOAD_CASES));
const real = new RealTrogdor();
try {
  await real.start();
  const agentUrl = await real.startLoneAgent();
  write('coordinator', await converse(real.coordinatorUrl, COORDINATOR_EXCHANGES));
  write('agent', await converse(agentUrl, AGENT_EXCHANGES));
} finally {
  real.close();
}
