import type { DnsOrders } from '../core/model/act-dns.ts';
import { DnsResponder } from '../host/dns/responder.ts';
import { obey } from '../host/linux/obey.ts';

/** The responder an agent starts: `--token TOKEN` names it in /proc, its orders come on standard input. */
await obey((orders, wanted) => new DnsResponder(orders as DnsOrders).start(wanted));
