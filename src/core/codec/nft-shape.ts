import { familyOf } from '../base/address.ts';
import type { ShapeTable } from '../model/act-shaping.ts';
import type { RulePeer } from '../model/act-netfilter.ts';
import { readStage, stageOf, writeStage } from '../model/shape-stage.ts';
import { assertNames, assertOurs } from './netfilter.ts';
import { braces, DISCOVERY, leaving, trafficOf } from './nft-rules.ts';
import { readListedTable } from './nft.ts';
import { ROOT, SLOTS, type StandingShaper } from './tc.ts';

/**
 * nftables commands of a table that gives packets a class as they leave (nft(8)), and its listing read.
 *
 *   table inet <token> {
 *     set p<i>v<4|6> { type ipv<4|6>_addr; flags timeout; elements = { <address> timeout <ms> } }
 *     chain about { counter comment "fault:..."  "slot:..."  "stage:..."  "device:..."
 *                   "peer:<index>:<name>" }
 *     chain c<i> { the priority becomes a class of fa17:, then gets the bits of peer and fault }
 *     chain output {
 *       type filter hook postrouting priority 300; policy accept;
 *       loopback, neighbour discovery and the path between coordinator and agent accept
 *       ip|ip6 daddr @p<i>v<4|6> [meta l4proto {...}] [th sport|dport {...}] counter jump c<i>
 *     }
 *   }
 *
 * Each table adds its fault's bit: what several faults mean has the bits of all. An element that has
 * expired gives no class, and a packet without one is not shaped: no process has to be alive for that.
 */
const ABOUT = 'about';

const ip = (family: 4 | 6): string => (family === 4 ? 'ip' : 'ip6');

/** The set of a peer's addresses of one family. */
interface PeerSet {
  name: string;
  peer: RulePeer;
  family: 4 | 6;
  addresses: string[];
}

/** One for each peer and address family that it has: each peer has classes of its own. */
function setsOf(shaping: ShapeTable): PeerSet[] {
  return shaping.peers.flatMap((peer, index) =>
    ([4, 6] as const)
      .map((family) => ({
        name: `p${index}v${family}`,
        peer,
        family,
        addresses: familyOf(family, family === 4 ? peer.ipv4 : peer.ipv6),
      }))
      .filter((set) => set.addresses.length > 0),
  );
}

function elements(set: PeerSet, timeoutMs: number): string {
  return braces(set.addresses.map((address) => `${address} timeout ${timeoutMs}ms`));
}

/** The path between coordinator and agent, on its way out. */
function controlRules(shaping: ShapeTable): string[] {
  const { coordinatorAddresses, agentPort } = shaping.control;
  return ([4, 6] as const).flatMap((family) => {
    const coordinator = familyOf(family, coordinatorAddresses);
    if (coordinator.length === 0) return [];
    const there = braces(coordinator);
    // Where the coordinator lives on this node: what it asks peers' agents.
    const asking = setsOf(shaping).flatMap(({ family: own, addresses, peer }) => {
      if (own !== family || peer.agentPort === undefined) return [];
      const to = `${ip(family)} daddr ${braces(addresses)} tcp dport ${peer.agentPort}`;
      return [`${ip(family)} saddr ${there} ${to} accept`];
    });
    return [`${ip(family)} daddr ${there} tcp sport ${agentPort} accept`, ...asking];
  });
}

/** Where a fault has its place among those that shape. */
export interface ShapePlace {
  slot: number;
  /** Of each peer by name: the same in all tables. */
  indices: Readonly<Record<string, number>>;
}

/** One transaction that makes the table, in place of one of that name. */
export function writeShapeTable(shaping: ShapeTable, { slot, indices }: ShapePlace): string {
  assertNames(shaping);
  const sets = setsOf(shaping);
  const about = [
    `fault:${shaping.faultId}`,
    `slot:${slot}`,
    `stage:${writeStage(stageOf(shaping.shape))}`,
    ...shaping.devices.map((device) => `device:${device}`),
    ...shaping.peers.map(({ name }) => `peer:${indices[name]}:${name}`),
  ];
  const chains = shaping.peers.map(({ name }, index) => {
    const bits = (((indices[name] ?? 0) << SLOTS) | (1 << slot)).toString(16);
    const clean = `meta priority & ffff:0000 != ${ROOT}:0000 meta priority set ${ROOT}:0000`;
    return [
      ` chain c${index} {`,
      `  ${clean}`,
      `  meta priority set meta priority | ${ROOT}:${bits}`,
      ' }',
    ];
  });
  const rules = sets.flatMap((set) => {
    const chain = `c${shaping.peers.indexOf(set.peer)}`;
    const comment = `comment "${shaping.faultId} ${set.peer.name}"`;
    return trafficOf(shaping.protocol, leaving(set.peer.ports)).map(
      (traffic) =>
        `${ip(set.family)} daddr @${set.name}${traffic} counter jump ${chain} ${comment}`,
    );
  });
  return [
    `add table inet ${shaping.table}`,
    `delete table inet ${shaping.table}`,
    `table inet ${shaping.table} {`,
    ...sets.map((set) => {
      const inside = elements(set, shaping.timeoutMs);
      return ` set ${set.name} { type ipv${set.family}_addr; flags timeout; elements = ${inside}; }`;
    }),
    ` chain ${ABOUT} {`,
    ...about.map((comment) => `  counter comment "${comment}"`),
    ' }',
    ...chains.flat(),
    ' chain output {',
    '  type filter hook postrouting priority 300; policy accept;',
    ...['oif "lo" accept', `${DISCOVERY} accept`, ...controlRules(shaping), ...rules].map(
      (rule) => `  ${rule}`,
    ),
    ' }',
    '}',
    '',
  ].join('\n');
}

/** Renews the timeouts; rejected whole where one element has expired, or with the table gone. */
export function writeShapeRefresh(shaping: ShapeTable): string {
  assertNames(shaping);
  const lines = setsOf(shaping).flatMap((set) => [
    `delete element inet ${shaping.table} ${set.name} ${braces(set.addresses)}`,
    `add element inet ${shaping.table} ${set.name} ${elements(set, shaping.timeoutMs)}`,
  ]);
  return `${lines.join('\n')}\n`;
}

/** Whether every address of the peers is in its set. @param json of the table's sets, listed. */
export function shapesAll(shaping: ShapeTable, json: string): boolean {
  const { addresses: there } = readListedTable(json, shaping.table);
  return setsOf(shaping).every(({ name, addresses }) =>
    addresses.every((address) => there[name]?.includes(address) === true),
  );
}

/** Lists what a table says of itself as JSON. An error where it is of another sort. */
export function writeListShaper(table: string): string {
  assertOurs(table);
  return `list chain inet ${table} ${ABOUT}\n`;
}

interface Listed {
  nftables?: { rule?: { comment?: string } }[];
}

/** @param json of writeListShaper. @returns undefined where it does not say what we would. */
export function readShaper(table: string, json: string): StandingShaper | undefined {
  const listed = (JSON.parse(json) as Listed).nftables ?? [];
  const comments = listed.flatMap(({ rule }) => rule?.comment ?? []);
  const of = (word: string): string[] =>
    comments.flatMap((text) => (text.startsWith(`${word}:`) ? [text.slice(word.length + 1)] : []));
  const stage = readStage(of('stage')[0] ?? '');
  const slot = Number(of('slot')[0] ?? Number.NaN);
  if (!stage || !Number.isInteger(slot)) return undefined;
  const peers = of('peer').map((text) => {
    const [index, ...name] = text.split(':');
    return { index: Number(index), name: name.join(':') };
  });
  return { table, faultId: of('fault')[0] ?? '', slot, stage, devices: of('device'), peers };
}
