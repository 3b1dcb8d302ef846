/**
 * Writes src/core/codec/kafka/message-table.ts from the message specifications in a kafka-clients jar:
 * `node tools/kafka-messages.ts JAR`. A test holds the table against the jar of the lab.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageTable } from './kafka/message-lines.ts';

const [jar] = process.argv.slice(2);
if (jar === undefined) {
  console.error('usage: node tools/kafka-messages.ts kafka-clients-VERSION.jar');
  process.exit(64);
}
const target = join(import.meta.dirname, '../src/core/codec/kafka/message-table.ts');
const lines = messageTable(jar).map((line) => `  '${line}',`);
const head = `/*
 * Kafka's messages, one a line: API key, name, 'request' or 'response', versions, first flexible
 * version, fields. The grammar is in message.ts. Written by tools/kafka-messages.ts; do not edit.
 */
export const MESSAGE_TABLE: readonly string[] = [`;
writeFileSync(target, `${[head, ...lines, '];'].join('\n')}\n`);
