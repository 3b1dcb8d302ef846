import { readFileSync } from 'node:fs';
import type { ProxyOrders } from '../core/model/act-proxy.ts';
import { reasonOf } from '../core/base/failure.ts';
import { NodeProxy } from '../host/kafka-proxy/serve.ts';

/** The proxy that an agent starts: `--token TOKEN` names it in /proc, its orders come on standard input. */
try {
  const orders = JSON.parse(readFileSync(0, 'utf8')) as ProxyOrders;
  await new NodeProxy(orders).start();
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ ready: false, reason: reasonOf(error) })}\n`);
  process.exit(1);
}
