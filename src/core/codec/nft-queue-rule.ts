import {
  attribute,
  be32,
  message,
  nested,
  NLM_F_ACK,
  NLM_F_REQUEST,
  u16,
  zeroed,
} from './netlink.ts';

/**
 * One nftables rule that hands packets to a queue through the xtables target NFQUEUE, for kernels
 * without nftables' own queue expression (CONFIG_NFT_QUEUE). It is what `iptables-nft -j NFQUEUE
 * --queue-bypass` writes, but into a table of ours (linux/netfilter/nf_tables.h, nft_compat.c).
 */
const SUBSYSTEM = 10 << 8;
const NEW_RULE = SUBSYSTEM | 6;
const BATCH_BEGIN = 16;
const BATCH_END = 17;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;
const NFPROTO_INET = 1;
/** xt_NFQ_info_v3: queue, number of queues, flags. */
const TARGET_REVISION = 3;
const BYPASS = 1;

/** A batch of messages; the kernel answers the second, sequence 2. */
export function writeQueueRule(table: string, chain: string, queue: number): Uint8Array {
  const info = [...u16(queue), ...u16(1), ...u16(BYPASS), 0, 0];
  const target = nested(
    1,
    attribute(1, zeroed('target')),
    nested(
      2,
      attribute(1, zeroed('NFQUEUE')),
      attribute(2, be32(TARGET_REVISION)),
      attribute(3, info),
    ),
  );
  const batch = { flags: NLM_F_REQUEST, family: 0, resource: 10 };
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND;
  const messages = [
    message({ type: BATCH_BEGIN, sequence: 1, ...batch }),
    message(
      { type: NEW_RULE, flags, sequence: 2, family: NFPROTO_INET, resource: 0 },
      attribute(1, zeroed(table)),
      attribute(2, zeroed(chain)),
      nested(4, target),
    ),
    message({ type: BATCH_END, sequence: 3, ...batch }),
  ];
  const bytes = new Uint8Array(messages.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of messages) {
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}
