import { setName, writeChain, writeRemoval, writeSets } from '../codec/iptables.ts';
import { groupsOf } from '../codec/netfilter.ts';
import { writeSteerTable } from '../codec/nft-steer.ts';
import { writeDelete, writeTable } from '../codec/nft.ts';
import { writeShapeTable } from '../codec/nft-shape.ts';
import { classesOf, writeTree } from '../codec/tc.ts';
import type { RuleTable } from '../model/act-netfilter.ts';
import type { ShapeTable } from '../model/act-shaping.ts';
import type { Act } from '../model/act.ts';
import { stageOf } from '../model/shape-stage.ts';

const FAMILIES = [4, 6] as const;

/** Texts with the program that reads each. */
function withPrograms(texts: readonly (readonly [string, string])[]): string {
  return texts
    .filter(([, text]) => text !== '')
    .map(([program, text]) => `# ${program}\n${text}`)
    .join('');
}

const restore = (family: 4 | 6): string =>
  `${family === 4 ? 'iptables' : 'ip6tables'}-restore --noflush`;

function iptablesRules(rules: RuleTable): string {
  const everybody = new Set(rules.peers.map(({ name }) => name));
  const sets = rules.backend === 'iptables' ? writeSets(rules, everybody) : '';
  const chains = FAMILIES.map(
    (family) => [restore(family), writeChain(rules, family, true)] as const,
  );
  return withPrograms([['ipset restore', sets], ...chains]);
}

/** How what those rules made is taken away again. */
function iptablesRemoval(rules: RuleTable): string {
  const sets = rules.backend === 'iptables' ? groupsOf(rules) : [];
  const destroyed = sets
    .flatMap(({ name, counts }) => [name, counts])
    .map((set) => `destroy ${setName(rules.table, set)}\n`);
  const removals = FAMILIES.map((family) => {
    const saved = writeChain(rules, family, true).replace(/^-I (INPUT|OUTPUT) 1 /m, '-A $1 ');
    return [restore(family), writeRemoval(rules.table, saved)] as const;
  });
  return withPrograms([...removals, ['ipset restore', destroyed.join('')]]);
}

/** As on a node where nothing else is shaped. */
function qdiscRules(shaping: ShapeTable): string {
  const { table, faultId, devices, shape } = shaping;
  const peers = shaping.peers.map(({ name }, index) => ({ name, index: index + 1 }));
  const shaper = { table, faultId, slot: 0, stage: stageOf(shape), devices, peers };
  const trees = devices.flatMap((device) => writeTree(device, classesOf([shaper], device), []));
  const indices = Object.fromEntries(peers.map(({ name, index }) => [name, index]));
  return withPrograms([
    ['tc -batch', `${trees.join('\n')}\n`],
    ['nft -f', writeShapeTable(shaping, { slot: 0, indices })],
  ]);
}

/** An act in the kernel's own language, where it has one. @param of what an undo undoes. */
export function rulesOf(act: Act, of?: Act): string | undefined {
  switch (act.act) {
    case 'netfilter.apply':
      if (act.rules.backend !== 'nft') return iptablesRules(act.rules);
      return writeTable(act.rules, new Set(act.rules.peers.map(({ name }) => name)));
    case 'netfilter.delete':
      if (act.backend === 'nft') return writeDelete(act.table);
      return of?.act === 'netfilter.apply' ? iptablesRemoval(of.rules) : undefined;
    case 'packets.steer':
      return writeSteerTable(act.steer);
    case 'shaping.apply':
      return qdiscRules(act.shaping);
    default:
      return undefined;
  }
}
