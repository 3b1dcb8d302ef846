import type { KnownListeners, Listener } from './topology.ts';

/** The names of a broker's configuration that say where it listens, and for whom. */
export const LISTENER_CONFIGS = [
  'listeners',
  'advertised.listeners',
  'controller.listener.names',
  'controller.quorum.voters',
  'inter.broker.listener.name',
  'listener.security.protocol.map',
  'security.inter.broker.protocol',
] as const;

/** A broker's configuration, as DescribeConfigs gives it. */
export type ListenerConfig = Readonly<
  Partial<Record<(typeof LISTENER_CONFIGS)[number], string | null>>
>;

const listOf = (text: string | null | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** 'NAME://host:port', the host empty or an IPv6 address in brackets (Kafka's EndPoint). */
const ENDPOINT = /^([^:/]+):\/\/\[?([^\]]*?)\]?:([0-9]{1,5})$/;

function endpointsOf(text: string | null | undefined): { name: string; port: number }[] {
  return listOf(text).flatMap((part) => {
    const [, name = '', , port] = ENDPOINT.exec(part) ?? [];
    return Number(port) > 0 ? [{ name, port: Number(port) }] : [];
  });
}

/** Which listeners speak TLS: what is not in the map is called as its protocol. */
function secretNames(config: ListenerConfig): (name: string) => boolean {
  const protocols = new Map(
    listOf(config['listener.security.protocol.map']).map((part) => {
      const [name = '', protocol = ''] = part.toUpperCase().split(':');
      return [name, protocol];
    }),
  );
  return (name) => (protocols.get(name) ?? name).endsWith('SSL');
}

/**
 * The listeners of a Kafka node by its configuration. The one that brokers use among themselves is
 * `inter.broker.listener.name`, else the one called as `security.inter.broker.protocol`
 * (KafkaConfig.interBrokerListenerName); where it is the only one, it serves clients, too, and has no
 * purpose of its own. Where the advertised port is another than the bound one (a port that is
 * forwarded), it has both: its peers see the one, and the node the other.
 */
export function listenersByConfig(config: ListenerConfig): Listener[] {
  const controllers = listOf(config['controller.listener.names']).map((name) => name.toUpperCase());
  const between = (
    config['inter.broker.listener.name'] ??
    config['security.inter.broker.protocol'] ??
    'PLAINTEXT'
  ).toUpperCase();
  const bound = endpointsOf(config.listeners ?? 'PLAINTEXT://:9092');
  const all = [...bound, ...endpointsOf(config['advertised.listeners'])];
  const upper = all.map(({ name }) => name.toUpperCase());
  const ofBrokers = new Set(upper.filter((name) => !controllers.includes(name)));
  const purposeOf = (name: string): Listener['purpose'] => {
    if (controllers.includes(name)) return 'controller';
    if (ofBrokers.size === 1) return undefined;
    return name === between ? 'replication' : 'client';
  };
  const isSecret = secretNames(config);
  const found = new Map<string, Listener>();
  for (const { name, port } of all) {
    const purpose = purposeOf(name.toUpperCase());
    const tls = isSecret(name.toUpperCase()) && { tls: true };
    found.set(`${name} ${port}`, { name, port, ...(purpose && { purpose }), ...tls });
  }
  return [...found.values()];
}

/** Controllers that a broker's configuration names (`controller.quorum.voters`): id@host:port. */
export function votersByConfig(config: ListenerConfig): KnownListeners[] {
  const [name = 'CONTROLLER'] = listOf(config['controller.listener.names']);
  return listOf(config['controller.quorum.voters']).flatMap((part) => {
    const [, id, host = '', port] = /^([0-9]+)@\[?([^\]]+?)\]?:([0-9]{1,5})$/.exec(part) ?? [];
    if (id === undefined) return [];
    const listener: Listener = { name, port: Number(port), purpose: 'controller' };
    return [{ id: Number(id), hosts: [host], listeners: [listener] }];
  });
}
