import { readFileSync } from 'node:fs';
import { Failure } from '../../core/base/failure.ts';
import { readOurTables, writeDelete } from '../../core/codec/nft.ts';
import {
  readShaper,
  shapesAll,
  writeListShaper,
  writeShapeRefresh,
  writeShapeTable,
  type ShapePlace,
} from '../../core/codec/nft-shape.ts';
import { writeListSets } from '../../core/codec/nft-steer.ts';
import {
  classesOf,
  foreignOn,
  minorsOn,
  PEERS_MAX,
  readQdiscs,
  readRoute,
  SLOTS,
  treesIn,
  writeTree,
  type ListedQdisc,
  type StandingShaper,
} from '../../core/codec/tc.ts';
import type { ShapeTable, ShapingAct } from '../../core/model/act-shaping.ts';
import type { EgressAnswer } from '../../core/model/query-shaping.ts';
import { stageOf } from '../../core/model/shape-stage.ts';
import { exec } from '../exec.ts';
import { withCommands } from './command-file.ts';
import { seenWhole } from './seen-whole.ts';
import type { Leftover } from './linux.ts';
import { rejected, type Nft } from './nft.ts';

const MISSING = 'No such file or directory';
const STANDARD = '/proc/sys/net/core/default_qdisc';
/** A tree that no table uses is anybody's to remove. */
const NOBODY = 'faultline-0';

/** Packets that the kernel shapes as they leave: a table of each fault, and a tree on each device. */
export class Shaping {
  readonly #nft: Nft;
  readonly #scratchDir: string;
  /** One change at a time: all faults share the trees. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(nft: Nft, scratchDir: string) {
    this.#nft = nft;
    this.#scratchDir = scratchDir;
  }

  async perform(act: ShapingAct): Promise<void> {
    switch (act.act) {
      case 'shaping.apply':
        return this.#inTurn(() => this.#apply(act.shaping));
      case 'shaping.refresh':
        return this.#refresh(act.shaping);
      case 'shaping.release':
        return this.#inTurn(() => this.#release(act.token));
    }
  }

  async holds(act: ShapingAct): Promise<boolean> {
    if (act.act === 'shaping.release')
      return !(await this.#nft.exists(act.token)) && (await this.#spare()).length === 0;
    const { shaping } = act;
    const marked = await seenWhole(async () => {
      const sets = await this.#nft.run(writeListSets(shaping.table), true);
      return sets.ok && shapesAll(shaping, sets.output);
    });
    if (!marked) return false;
    const [shapers, qdiscs] = await Promise.all([this.#shapers(), this.#qdiscs()]);
    return shaping.devices.every((device) => {
      const there = minorsOn(qdiscs, device);
      return classesOf(shapers, device).every(({ minor }) => there.has(minor));
    });
  }

  /** What a plan must know. */
  async egress(addresses: readonly string[]): Promise<EgressAnswer> {
    const devices: Record<string, string> = {};
    for (const address of addresses) {
      const device = await deviceFor(address);
      if (device !== undefined) devices[address] = device;
    }
    const used = [...new Set(Object.values(devices))];
    const qdiscs = used.length === 0 ? [] : await this.#qdiscs();
    const standard = readStandard();
    const foreign = used.flatMap((device) => {
      const why = foreignOn(qdiscs, device, standard);
      return why === undefined ? [] : [[device, why] as const];
    });
    const shapers = (await this.#shapers()).map(({ faultId, stage, peers }) => {
      return { faultId, sort: stage.sort, peers: peers.map(({ name }) => name) };
    });
    return { query: 'egress', devices, foreign: Object.fromEntries(foreign), shapers };
  }

  async leftovers(): Promise<Leftover[]> {
    const shapers = await this.#shapers().catch(() => []); // without nft nothing was shaped
    const tables = shapers.map(({ table, faultId }): Leftover => ({
      says: `packets shaped by ${table}`,
      faultId,
      remove: { act: 'shaping.release', token: table },
    }));
    const trees = await this.#qdiscs().then(treesIn, () => []); // without tc, too
    if (trees.length === 0 || tables.length > 0) return tables;
    const says = `classes of qdisc fa17: on ${trees.join(', ')}`;
    return [{ says, remove: { act: 'shaping.release', token: NOBODY } }];
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined); // whoever asked for it is told
    return turn;
  }

  async #apply(shaping: ShapeTable): Promise<void> {
    const standing = await this.#shapers();
    const already = standing.find(({ table }) => table === shaping.table);
    const others = standing.filter((each) => each !== already);
    const place = placeOf(shaping, others, already?.slot);
    const own: StandingShaper = {
      table: shaping.table,
      faultId: shaping.faultId,
      slot: place.slot,
      stage: stageOf(shaping.shape),
      devices: shaping.devices,
      peers: shaping.peers.map(({ name }) => ({ name, index: place.indices[name] ?? 0 })),
    };
    const rival = others.find((each) => sharesPackets(each, own));
    if (rival) {
      const message = `fault '${rival.faultId}' does the same to these packets with the same qdisc`;
      throw new Failure('shaped-already', message, { definite: true });
    }
    const qdiscs = await this.#qdiscs();
    const lines = shaping.devices.flatMap((device) => {
      const why = foreignOn(qdiscs, device, readStandard());
      if (why !== undefined) throw new Failure('qdisc-foreign', why, { definite: true });
      // Classes with the bit of a slot that no table has are what an earlier crash has left.
      const remade = already ? 0 : 1 << place.slot;
      return writeTree(device, classesOf([...others, own], device), qdiscs, remade);
    });
    await this.#batch(lines);
    await this.#nft.change(writeShapeTable(shaping, place));
    if (await this.holds({ act: 'shaping.apply', shaping })) return;
    const message = `${shaping.table} does not shape after its creation`;
    throw new Failure('shaping-not-there', message, { definite: false });
  }

  async #refresh(shaping: ShapeTable): Promise<void> {
    const run = await this.#nft.run(writeShapeRefresh(shaping), false);
    if (run.ok) return;
    if (!run.error.includes(MISSING)) throw rejected(run);
    if (!(await this.#nft.exists(shaping.table))) return;
    const message = `the kernel has expired elements of ${shaping.table}`;
    throw new Failure('expired', message, { definite: true });
  }

  /** The table first: from then on nothing goes to the classes. */
  async #release(token: string): Promise<void> {
    await this.#nft.change(writeDelete(token));
    await this.#batch(await this.#spare());
  }

  /** Commands that delete what no table uses. */
  async #spare(): Promise<string[]> {
    const qdiscs = await this.#qdiscs();
    const trees = treesIn(qdiscs);
    if (trees.length === 0) return [];
    const shapers = await this.#shapers();
    return trees.flatMap((device) => {
      const there = minorsOn(qdiscs, device);
      // What is missing is not made here.
      const wanted = classesOf(shapers, device).filter(({ minor }) => there.has(minor));
      return writeTree(device, wanted, qdiscs);
    });
  }

  async #shapers(): Promise<StandingShaper[]> {
    const run = await this.#nft.run('list tables inet\n', true);
    if (!run.ok) throw rejected(run);
    const shapers: StandingShaper[] = [];
    for (const table of readOurTables(run.output)) {
      const listed = await this.#nft.run(writeListShaper(table), true);
      const shaper = listed.ok ? readShaper(table, listed.output) : undefined;
      if (shaper) shapers.push(shaper);
    }
    return shapers;
  }

  async #qdiscs(): Promise<ListedQdisc[]> {
    const argv = ['tc', '-j', 'qdisc', 'show'];
    const { stdout } = await exec(argv, { outputMax: 16 * 1024 * 1024 });
    return readQdiscs(stdout);
  }

  /** tc stops at the first line that fails. */
  async #batch(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const commands = `${lines.join('\n')}\n`;
    const run = (input: number): Promise<unknown> => exec(['tc', '-batch', '-'], { input });
    await withCommands(this.#scratchDir, commands, run);
  }
}

/** A qdisc does each sort of thing once. */
function sharesPackets(one: StandingShaper, other: StandingShaper): boolean {
  const names = new Set(one.peers.map(({ name }) => name));
  return one.stage.sort === other.stage.sort && other.peers.some(({ name }) => names.has(name));
}

/** A slot that no other has, and for each peer the number that others know it by. */
function placeOf(
  shaping: ShapeTable,
  others: readonly StandingShaper[],
  slot: number | undefined,
): ShapePlace {
  const taken = new Set(others.map((each) => each.slot));
  const free = slot ?? Array.from({ length: SLOTS }, (_, at) => at).find((at) => !taken.has(at));
  const indices = new Map(
    others.flatMap(({ peers }) => peers.map(({ name, index }) => [name, index] as const)),
  );
  const numbers = new Set(indices.values());
  for (const { name } of shaping.peers) {
    if (indices.has(name)) continue;
    let index = 1;
    while (numbers.has(index)) index++;
    numbers.add(index);
    indices.set(name, index);
  }
  if (free === undefined || Math.max(...numbers) > PEERS_MAX) {
    const message = `no more than ${SLOTS} faults and ${PEERS_MAX} peers can be shaped at once`;
    throw new Failure('shaping-full', message, { definite: true });
  }
  return { slot: free, indices: Object.fromEntries(indices) };
}

async function deviceFor(address: string): Promise<string | undefined> {
  try {
    const { stdout } = await exec(['ip', '-j', 'route', 'get', address]);
    return readRoute(stdout);
  } catch (error) {
    // RTNETLINK answers: Network is unreachable.
    if (error instanceof Failure && error.code === 'exited') return undefined;
    throw error;
  }
}

function readStandard(): string | undefined {
  try {
    return readFileSync(STANDARD, 'utf8').trim();
  } catch {
    // Some containers do not show it.
    return undefined;
  }
}
