import type { ResolversAnswer, ResolversQuery } from './act-dns.ts';
import type { DiskAnswer, DiskQuery } from './query-disk.ts';
import type { NetfilterBackend } from './act-netfilter.ts';
import type { SocketAnswer, SocketQuery } from './act-sockets.ts';
import type { PacketCounts, PacketQuery } from './query-packets.ts';
import type { ProcessMatch, ProcessRef } from './process-match.ts';
import type { EgressAnswer, EgressQuery } from './query-shaping.ts';
import type { ProxyAnswer, ProxyQuery } from './query-proxy.ts';
import type { Node } from './topology.ts';

/**
 * Read-only questions a kind asks of its node before it plans, and a witness while it looks.
 * Like acts, they are data; host/linux answers each in one exhaustive switch.
 */
export type Query =
  | ProxyQuery
  | DiskQuery
  | ResolversQuery
  | PacketQuery
  | EgressQuery
  | SocketQuery
  | { query: 'processes'; match: ProcessMatch }
  /** State letters of /proc/PID/stat: R S D T Z ..., 'gone' where the process is no more. */
  | { query: 'processStates'; processes: ProcessRef[] }
  | { query: 'service'; service: string }
  /** Packets the table's rules have counted, of each of these peers; empty without the table. */
  | {
      query: 'packetCounters';
      backend: NetfilterBackend;
      table: string;
      peers: Pick<Node, 'name' | 'addresses'>[];
    }
  | { query: 'cpuCount' }
  /** CPU time used by the burners with this token, in ms. */
  | { query: 'burnerCpuMs'; token: string };

export type Answer =
  | ProxyAnswer
  | DiskAnswer
  | ResolversAnswer
  | PacketCounts
  | EgressAnswer
  | SocketAnswer
  | {
      query: 'processes';
      /** `state`: letter of /proc/PID/stat; `forbidden`: why no fault may touch this one. */
      processes: {
        process: ProcessRef;
        commandLine: string;
        state: string;
        forbidden?: string;
      }[];
    }
  | { query: 'processStates'; states: string[] }
  /** `startable`: the configuration says how to start it; `running`: what it matches now. */
  | { query: 'service'; known: boolean; startable: boolean; running: ProcessRef[] }
  | { query: 'packetCounters'; packets: Record<string, number> }
  | { query: 'cpuCount'; count: number }
  | { query: 'burnerCpuMs'; cpuMs: number; running: number };

export type AnswerTo<Q extends Query> = Extract<Answer, { query: Q['query'] }>;
