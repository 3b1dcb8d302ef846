import { Type, type Static } from 'typebox';

/** A name in our documents: also safe in kernel names, comments, file names and URLs. */
export const Id = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
  title: 'id',
  description:
    'lower-case letters, digits and dashes, at most 63, beginning with a letter or digit',
});

export const NodeName = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$',
  title: 'node name',
  description: 'letters, digits, dots, dashes and underscores, at most 63',
});
export type NodeName = Static<typeof NodeName>;

export const ROLES = ['broker', 'controller', 'client', 'zookeeper'] as const;
export const Role = Type.Enum([...ROLES]);
export type Role = (typeof ROLES)[number];

export const LISTENER_PURPOSES = ['client', 'replication', 'controller'] as const;

/** A Kafka listener of a node: who talks through it. */
export const Listener = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    port: Type.Integer({ minimum: 1, maximum: 65535 }),
    purpose: Type.Optional(Type.Enum([...LISTENER_PURPOSES])),
    tls: Type.Optional(Type.Boolean({ description: 'whether it speaks TLS (SSL, SASL_SSL)' })),
  },
  { additionalProperties: false },
);
export type Listener = Static<typeof Listener>;

/** A machine of the cluster under test. */
export const Node = Type.Object(
  {
    name: NodeName,
    /** Base URL of its agent; absent on a node that can only be named, not acted on. */
    agent: Type.Optional(Type.String({ pattern: '^https?://[^\\s/]+$', maxLength: 255 })),
    /** IPv4 and IPv6 addresses its Kafka traffic comes from. */
    addresses: Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 32 }),
    roles: Type.Array(Role, { minItems: 1, maxItems: 4 }),
    listeners: Type.Optional(Type.Array(Listener, { maxItems: 16 })),
    rack: Type.Optional(Type.String({ maxLength: 64 })),
    /** Kafka's node.id (broker.id); found by address where it is absent. */
    kafkaId: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type Node = Static<typeof Node>;

/** cluster.yaml: the cluster under test. */
export const Cluster = Type.Object(
  {
    name: Id,
    nodes: Type.Array(Node, { minItems: 1, maxItems: 1000 }),
    kafka: Type.Optional(
      Type.Object(
        {
          /** host:port, comma-separated, as Kafka's bootstrap.servers. */
          bootstrap: Type.String({ minLength: 1, maxLength: 4096 }),
          /** Standard client property names (security.protocol, sasl.mechanism, ...). */
          properties: Type.Optional(Type.Record(Type.String(), Type.String())),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type Cluster = Static<typeof Cluster>;

/** What the faults need of a cluster: its nodes. */
export interface Topology {
  name: string;
  nodes: Node[];
}

export function nodeNamed(topology: Topology, name: NodeName): Node | undefined {
  return topology.nodes.find((node) => node.name === name);
}

/** One topic-partition as the cluster describes it; numbers are Kafka node ids. */
export interface TopicPartitionState {
  topic: string;
  partition: number;
  /** -1: no leader. */
  leader: number;
  leaderEpoch: number;
  replicas: number[];
  isr: number[];
}

/** Where one of Kafka's nodes listens, as Kafka itself says it. */
export interface KnownListeners {
  /** Its node.id. */
  id: number;
  /** Names and addresses it is known by. */
  hosts: string[];
  listeners: Listener[];
}

/** What a live view of the cluster showed at one instant. */
export interface ClusterSnapshot {
  /** Milliseconds since the epoch, by the coordinator's clock. */
  takenAtMs: number;
  brokers: { id: number; host: string; port: number; rack?: string }[];
  topicPartitions: TopicPartitionState[];
  /** Kafka node id of the active controller, -1: none known. */
  activeController: number;
  voters: number[];
  /** Where Kafka's nodes listen, of those whose configuration could be read. */
  listeners?: KnownListeners[];
  /** min.insync.replicas by topic, where the view knows it. */
  minInsyncReplicas?: Record<string, number>;
  /** Why this is not the whole truth (an unreachable cluster), where it is not. */
  error?: string;
}
