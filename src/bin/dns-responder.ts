import { readFileSync } from 'node:fs';
import { reasonOf } from '../core/base/failure.ts';
import type { DnsOrders } from '../core/model/act-dns.ts';
import { DnsResponder } from '../host/dns/responder.ts';

/** The responder an agent starts: `--token TOKEN` names it in /proc, its orders come on standard input. */
try {
  await new DnsResponder(JSON.parse(readFileSync(0, 'utf8')) as DnsOrders).start();
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ ready: false, reason: reasonOf(error) })}\n`);
  process.exit(1);
}
