import type { Fraction } from '../../base/ratio.ts';
import { messageOf } from './message.ts';
import type { Struct, Value } from './value.ts';

const FETCH = 1;
/** Later fetch responses may name brokers (KIP-951), which would have to be found in every one. */
const FETCH_WITHOUT_ENDPOINTS = 15;
/** Responses whose meaning rests on the addresses in them: Metadata, FindCoordinator, DescribeCluster. */
const WITH_ADDRESSES = [3, 10, 60];
/** Those, and where KIP-951 lets a response name the new leader: Produce, ShareFetch, ShareAcknowledge. */
export const NAMES_BROKERS: readonly number[] = [...WITH_ADDRESSES, 0, 78, 79];

const isStruct = (value: Value): value is Struct =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array);

/** A broker as a response names it. */
export interface NamedBroker {
  /** -1 where the response does not say. */
  id: number;
  host: string;
  port: number;
}

/**
 * Gives every broker that a decoded response names another address, in place.
 * @returns how many it changed.
 */
export function rewriteAddresses(
  value: Value,
  to: (broker: NamedBroker) => { host: string; port: number } | undefined,
): number {
  if (Array.isArray(value)) {
    return value.reduce((sum: number, one) => sum + rewriteAddresses(one, to), 0);
  }
  if (!isStruct(value)) return 0;
  let changed = 0;
  const { host, port } = value;
  if (typeof host === 'string' && typeof port === 'number' && port > 0) {
    const id = value['nodeId'] ?? value['brokerId'];
    const address = to({ id: typeof id === 'number' ? id : -1, host, port });
    if (address) {
      value['host'] = address.host;
      value['port'] = address.port;
      changed++;
    }
  }
  return Object.values(value).reduce<number>(
    (sum, one) => sum + rewriteAddresses(one, to),
    changed,
  );
}

/**
 * Lowers, in a decoded ApiVersions response, the highest versions a client may use to those whose
 * responses can be rewritten here. In place.
 */
export function capVersions(apiVersions: Struct): void {
  for (const one of apiVersions['apiKeys'] as Struct[]) {
    const key = one['apiKey'] as number;
    const known = messageOf(key, 'response')?.versions.to;
    const cap = key === FETCH ? FETCH_WITHOUT_ENDPOINTS : known;
    if (cap === undefined || (key !== FETCH && !NAMES_BROKERS.includes(key))) continue;
    one['maxVersion'] = Math.min(one['maxVersion'] as number, cap);
  }
}

/** Cuts what a decoded Fetch response brings of every topic-partition to a share of its bytes. In place. */
export function truncateFetch(fetch: Struct, share: Fraction): number {
  let cut = 0;
  for (const topic of fetch['responses'] as Struct[]) {
    for (const one of topic['partitions'] as Struct[]) {
      const records = one['records'];
      if (!(records instanceof Uint8Array) || records.length === 0) continue;
      const kept = Math.floor((records.length * share.numerator) / share.denominator);
      one['records'] = records.subarray(0, kept);
      cut += records.length - kept;
    }
  }
  return cut;
}

/** Gives topics of a decoded Metadata response an error. In place. @param about which; without it all. */
export function failTopics(
  metadata: Struct,
  code: number,
  about?: (topic: string) => boolean,
): void {
  for (const topic of metadata['topics'] as Struct[]) {
    const { name } = topic;
    if (about === undefined || (typeof name === 'string' && about(name))) topic['errorCode'] = code;
  }
}

/** Ids and names of the topics in a decoded Metadata response. */
export function topicNames(metadata: Struct): Map<string, string> {
  const names = new Map<string, string>();
  for (const { topicId, name } of metadata['topics'] as Struct[]) {
    if (typeof topicId === 'string' && typeof name === 'string') names.set(topicId, name);
  }
  return names;
}
