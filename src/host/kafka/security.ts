import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from '@platformatic/kafka';
import { reasonOf } from '../../core/base/failure.ts';
import { nearMiss } from '../../core/base/near-miss.ts';
import { invalid, valid, type Checked, type Problem } from '../../core/base/problem.ts';

/** What of a Connection is decided by Kafka client properties. */
export type SecurityOptions = Pick<ConnectionOptions, 'tls' | 'sasl'>;

const KNOWN = [
  'security.protocol',
  'sasl.mechanism',
  'sasl.jaas.config',
  'ssl.truststore.type',
  'ssl.truststore.location',
  'ssl.truststore.certificates',
  'ssl.keystore.type',
  'ssl.keystore.location',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.key.password',
  'ssl.endpoint.identification.algorithm',
  'client.id',
] as const;
const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'];
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
const LOGIN_MODULES = [
  'org.apache.kafka.common.security.plain.PlainLoginModule',
  'org.apache.kafka.common.security.scram.ScramLoginModule',
];

type Properties = Readonly<Record<string, string>>;

function at(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/**
 * Reads `Module required username="u" password="p";` (the JAAS syntax Kafka documents for clients).
 * Values may be quoted, with \" and \\ inside.
 */
function readJaas(text: string): { module: string; options: Record<string, string> } | undefined {
  const head = /^\s*([\w.$]+)\s+(?:required|requisite|sufficient|optional)\b/i.exec(text);
  if (head === null || !/;\s*$/.test(text)) return undefined;
  const options: Record<string, string> = {};
  const rest = text.slice(head[0].length);
  for (const match of rest.matchAll(/([\w.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/g)) {
    options[match[1] as string] = match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3] ?? '';
  }
  return { module: head[1] as string, options };
}

function readSasl(properties: Properties, problems: Problem[]): SecurityOptions['sasl'] {
  const mechanism = MECHANISMS.find((name) => name === properties['sasl.mechanism']);
  if (mechanism === undefined) {
    const expected = `one of ${MECHANISMS.join(', ')}`;
    const message = 'this SASL mechanism is not supported';
    const found = properties['sasl.mechanism'] ?? 'nothing';
    problems.push({ path: at('sasl.mechanism'), message, found, expected });
    return undefined;
  }
  const jaas = readJaas(properties['sasl.jaas.config'] ?? '');
  const { username, password } = jaas?.options ?? {};
  if (jaas === undefined || username === undefined || password === undefined) {
    // The text holds a password: it is not quoted back.
    const message = 'not a login module with username="..." and password="..." and a semicolon';
    problems.push({ path: at('sasl.jaas.config'), message });
    return undefined;
  }
  if (!LOGIN_MODULES.includes(jaas.module)) {
    const expected = `one of ${LOGIN_MODULES.join(', ')}`;
    const message = 'this login module is not supported';
    problems.push({ path: at('sasl.jaas.config'), message, found: jaas.module, expected });
  }
  return { mechanism, username, password };
}

function readPem(properties: Properties, name: string, problems: Problem[]): string | undefined {
  const path = properties[name];
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    problems.push({ path: at(name), message: `cannot be read: ${reasonOf(error)}`, found: path });
    return undefined;
  }
}

function readTls(properties: Properties, problems: Problem[]): SecurityOptions {
  for (const name of ['ssl.truststore.type', 'ssl.keystore.type']) {
    const type = properties[name];
    const located = properties[name.replace('type', 'location')] !== undefined;
    if (type === 'PEM' || (type === undefined && !located)) continue;
    const message = 'only PEM stores are read';
    problems.push({ path: at(name), message, found: type ?? 'JKS by default', expected: 'PEM' });
  }
  const trust = readPem(properties, 'ssl.truststore.location', problems);
  const store = readPem(properties, 'ssl.keystore.location', problems);
  const algorithm = properties['ssl.endpoint.identification.algorithm'] ?? 'https';
  const tls: NonNullable<SecurityOptions['tls']> = {};
  const authority = properties['ssl.truststore.certificates'] ?? trust;
  const chain = properties['ssl.keystore.certificate.chain'] ?? store;
  const key = properties['ssl.keystore.key'] ?? store;
  if (authority !== undefined) tls.ca = authority;
  if (chain !== undefined) tls.cert = chain;
  if (key !== undefined) tls.key = key;
  const passphrase = properties['ssl.key.password'];
  if (passphrase !== undefined) tls.passphrase = passphrase;
  // An empty algorithm switches the check of the host name off, as in Kafka's own clients.
  if (algorithm === '') tls.checkServerIdentity = () => undefined;
  return { tls };
}

/**
 * Standard Kafka client properties into connection options.
 * @param properties names as in Kafka's documentation of client configuration; PEM stores only.
 * @returns options, or every problem (an unknown property is one; secrets are not quoted).
 */
export function securityOptions(properties: Properties): Checked<SecurityOptions> {
  const problems: Problem[] = [];
  for (const name of Object.keys(properties)) {
    if (KNOWN.some((known) => known === name)) continue;
    const near = nearMiss(name, KNOWN);
    const problem: Problem = { path: at(name), message: `unknown Kafka property '${name}'` };
    problems.push(near === undefined ? problem : { ...problem, nearMiss: near });
  }
  const protocol = properties['security.protocol'] ?? 'PLAINTEXT';
  if (!PROTOCOLS.includes(protocol)) {
    const expected = `one of ${PROTOCOLS.join(', ')}`;
    const message = 'not a security protocol';
    problems.push({ path: at('security.protocol'), message, found: protocol, expected });
  }
  const tls = protocol.endsWith('SSL') ? readTls(properties, problems) : {};
  const sasl = protocol.startsWith('SASL') ? readSasl(properties, problems) : undefined;
  if (problems.length > 0) return invalid(...problems);
  return valid(sasl === undefined ? tls : { ...tls, sasl });
}
