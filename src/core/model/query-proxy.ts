import type { RuleCounts } from './proxy-rule.ts';

/** What a proxy has seen and done so far. */
export interface ProxyCounts {
  /** Connections taken. */
  connections: number;
  /** Of these: TLS that passes through unread. */
  tls: number;
  /** Requests read at least as far as their API key. */
  requests: number;
  /** Requests that a rule might have been about, but that could not be read: too large, or no Kafka. */
  unread: number;
  /** Why connections that were open when it began stay outside; absent where they were reset. */
  outside?: string;
  rules: RuleCounts[];
}

export type ProxyQuery =
  /** What the proxy with this token has counted. */
  { query: 'proxyCounts'; token: string };

export type ProxyAnswer = { query: 'proxyCounts'; running: boolean } & ProxyCounts;

export const NO_PROXY: ProxyAnswer = {
  query: 'proxyCounts',
  running: false,
  connections: 0,
  tls: 0,
  requests: 0,
  unread: 0,
  rules: [],
};
