import type { ProxyOrders } from '../core/model/act-proxy.ts';
import { NodeProxy } from '../host/kafka-proxy/serve.ts';
import { obey } from '../host/linux/obey.ts';

/** The proxy that an agent starts: `--token TOKEN` names it in /proc, its orders come on standard input. */
await obey((orders, wanted) => new NodeProxy(orders as ProxyOrders).start(wanted));
