import { OPCODES } from '../../core/codec/fuse/constants.ts';
import { LinkIn, RenameIn } from '../../core/codec/fuse/messages.ts';
import { decide, type Counters, type Verdict } from '../../core/disk/decide.ts';
import {
  compileRules,
  matchesPath,
  refusesFreshPages,
  touchesMetadata,
  touchesPages,
  type Request,
  type Rule,
} from '../../core/disk/rule.ts';
import type { Engine } from './engine.ts';
import { describe, NAMES, operationOf } from './judged.ts';
import { operationBit } from '../../core/disk/operation.ts';
import { Reaches, reachingName, type Reach } from '../../core/disk/reach.ts';
import { WORD, type Memory } from './memory.ts';
import type { Name } from './name-table.ts';
import { NODE } from './node-row.ts';
import { readPublished } from './published.ts';

const O = OPCODES;
const PER_RULE = 2;

const NONE: readonly Rule[] = [];
const FLUSH = operationBit('flush');
const NOWHERE = new Reaches(NONE).of('');
const NO_REACH = { directory: 0, generation: 0, reach: NOWHERE };
const CACHE_LIMIT = 100_000;

interface Known {
  /** The node's `naming` when this was found out. */
  naming: number;
  rules: readonly Rule[];
}

function isHidden(rule: Rule): boolean {
  return touchesMetadata(rule) || touchesPages(rule);
}

/** One thread's judgement of requests by the rules in force; their counters are shared. */
export class Judge implements Counters {
  readonly #memory: Memory;
  #epoch = -1;
  #pathEpoch = -1;
  #rules: readonly Rule[] = NONE;
  /** The operations any rule takes: most requests are of others. */
  #operations = 0;
  /** Whether what the kernel has cached could hide any rule. */
  #hides = false;
  #reaches = new Reaches(NONE);
  readonly #byNode = new Map<number, Known>();
  readonly #byDirectory = new Map<number, { generation: number; reach: Reach }>();
  #lastReach = NO_REACH;
  /** The request whose names no rule takes. */
  #quietNames = 0;
  /** By node: the view at which no rule took it, plus its naming then. Untouched pages cost nothing. */
  readonly #quiet: Float64Array;
  #view = 0;
  readonly #request: Request = { operation: 0, writes: false, pid: 0, uid: 0, offset: 0, size: 0 };

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#quiet = new Float64Array(memory.shared.sizes.nodes);
  }

  get epoch(): number {
    return this.#epoch;
  }

  match(rule: Rule): number {
    // Unsigned: a rule in force over a busy day goes on hitting.
    return Atomics.add(this.#memory.counters, rule.index * PER_RULE, 1) >>> 0;
  }

  hit(rule: Rule, limit: number): boolean {
    const { counters } = this.#memory;
    const at = rule.index * PER_RULE + 1;
    for (;;) {
      const hits = Atomics.load(counters, at);
      if (limit !== 0 && hits >= limit) return false;
      if (Atomics.compareExchange(counters, at, hits, hits + 1) === hits) return true;
    }
  }

  /** Takes up what was published, if it is new. */
  #refresh(): void {
    const { words } = this.#memory;
    if (Atomics.load(words, WORD.epoch) !== this.#epoch) {
      const { epoch, published } = readPublished(this.#memory);
      this.#rules = compileRules(published);
      this.#operations = this.#rules.reduce((set, rule) => set | rule.operations, 0);
      this.#hides = this.#rules.some(isHidden);
      this.#reaches = new Reaches(this.#rules);
      this.#epoch = epoch;
      this.#forget();
    }
    const pathEpoch = Atomics.load(words, WORD.pathEpoch);
    if (pathEpoch !== this.#pathEpoch) {
      this.#forget();
      this.#pathEpoch = pathEpoch;
    }
  }

  #forget(): void {
    this.#lastReach = NO_REACH;
    this.#quietNames = 0;
    this.#byNode.clear();
    this.#byDirectory.clear();
    this.#view += 2 ** 32;
  }

  /** Whether no rule takes a node's current path: known at the price of a comparison. */
  #isQuiet(engine: Engine, node: number): boolean {
    return this.#quiet[node] === this.#view + engine.table.get(node, NODE.naming);
  }

  /** The rules whose globs take a node's current path. */
  ofNode(engine: Engine, node: number): readonly Rule[] {
    this.#refresh();
    return this.#ofNode(engine, node);
  }

  #ofNode(engine: Engine, node: number): readonly Rule[] {
    if (this.#isQuiet(engine, node)) return NONE;
    const { table } = engine;
    const naming = table.get(node, NODE.naming);
    const known = this.#byNode.get(node);
    if (known?.naming === naming) return known.rules;
    const rules = this.#find(engine, node);
    if (this.#byNode.size >= CACHE_LIMIT) this.#byNode.clear();
    if (rules.length > 0) this.#byNode.set(node, { naming, rules });
    else this.#quiet[node] = this.#view + naming;
    return rules;
  }

  #find(engine: Engine, node: number): readonly Rule[] {
    const { table } = engine;
    const parent = table.parentOf(node);
    if (parent === 0) return this.#ofPath(this.#rules, table.pathOf(node));
    const { bytes, from, length } = table.nameOf(node);
    const some = reachingName(this.#reachOf(engine, parent), bytes, from, length);
    return some.length === 0 ? NONE : this.#ofPath(some, table.pathOf(node));
  }

  /** The rules that could take a name in a directory. A directory's path changes the path epoch. */
  #reachOf(engine: Engine, directory: number): Reach {
    const generation = engine.table.get(directory, NODE.generation);
    const last = this.#lastReach;
    if (last.directory === directory && last.generation === generation) return last.reach;
    const reach = this.#findReach(engine, directory, generation);
    // A directory without a name may get one.
    if (reach !== NOWHERE) this.#lastReach = { directory, generation, reach };
    return reach;
  }

  #findReach(engine: Engine, directory: number, generation: number): Reach {
    const known = this.#byDirectory.get(directory);
    if (known?.generation === generation) return known.reach;
    const path = engine.table.pathOf(directory);
    // One without a name: what is made there nobody finds.
    const reach = path === undefined ? NOWHERE : this.#reaches.of(path);
    if (this.#byDirectory.size >= CACHE_LIMIT) this.#byDirectory.clear();
    if (path !== undefined) this.#byDirectory.set(directory, { generation, reach });
    return reach;
  }

  /** A nameless file is taken only by rules for any path. */
  #ofPath(among: readonly Rule[], path: string | undefined): readonly Rule[] {
    const rules = among.filter((rule) =>
      path === undefined ? rule.paths.length === 0 : matchesPath(rule, path),
    );
    return rules.length === 0 ? NONE : rules;
  }

  #ofName(engine: Engine, parent: number, name: Name | undefined): readonly Rule[] {
    if (name === undefined) return NONE;
    const { bytes, from, length } = name;
    const some = reachingName(this.#reachOf(engine, parent), bytes, from, length);
    const directory = some.length === 0 ? undefined : engine.table.pathOf(parent);
    if (directory === undefined) return NONE;
    const text = engine.input.toString('utf8', from, from + length);
    return this.#ofPath(some, directory === '' ? text : `${directory}/${text}`);
  }

  #applying(engine: Engine): readonly Rule[] {
    const offset = NAMES[engine.opcode];
    if (offset === undefined) return this.#ofNode(engine, engine.node);
    const rules = this.#ofName(engine, engine.node, engine.name(offset));
    let others = NONE;
    if (engine.opcode === O.rename || engine.opcode === O.rename2) {
      others = this.#ofName(engine, engine.u64(RenameIn.at.newdir), engine.name(offset, 1));
    } else if (engine.opcode === O.link) {
      others = this.#ofNode(engine, engine.u64(LinkIn.at.oldnodeid));
    }
    if (rules.length + others.length === 0) this.#quietNames = engine.serial;
    if (others.length === 0) return rules;
    const known = new Set(rules.map((rule) => rule.index));
    return [...rules, ...others.filter((rule) => !known.has(rule.index))];
  }

  /** What the rules do to the request the engine holds; undefined where they let it pass. */
  ask(engine: Engine): Verdict | undefined {
    this.#refresh();
    const operation = operationOf(engine);
    if ((operation & this.#operations) === 0 || !engine.table.isLive(engine.node)) return undefined;
    const rules = this.#applying(engine);
    if (rules.length === 0) return undefined;
    const request = this.#request;
    request.operation = operation;
    request.pid = engine.pid;
    request.uid = engine.uid;
    describe(engine, request);
    return decide(rules, request, this);
  }

  /** Whether the kernel must ask about a node's name and attributes each time. */
  watchesMetadata(engine: Engine, node: number): boolean {
    return this.ofNode(engine, node).some(touchesMetadata);
  }

  /** The same for the name a request looks up, which leads nowhere. */
  watchesName(engine: Engine, directory: number, name: Name): boolean {
    this.#refresh();
    if (this.#quietNames === engine.serial) return false;
    return this.#ofName(engine, directory, name).some(touchesMetadata);
  }

  /** Those rules of a node that what the kernel has cached of it could hide. */
  hidden(engine: Engine, node: number): readonly Rule[] {
    this.#refresh();
    return this.#hides ? this.#ofNode(engine, node).filter(isHidden) : NONE;
  }

  /** Whether the file that is about to be renamed may come under a rule that caches could hide. */
  mayTakeNewName(engine: Engine): boolean {
    this.#refresh();
    if (this.#quietNames === engine.serial) return false;
    const name = this.#hides ? engine.name(NAMES[engine.opcode] ?? 0, 1) : undefined;
    const directory = engine.u64(RenameIn.at.newdir);
    if (name === undefined || !engine.table.isLive(directory)) return false;
    const reach = this.#reachOf(engine, directory);
    return reachingName(reach, name.bytes, name.from, name.length).length > 0;
  }

  wantsFlush(engine: Engine, node: number): boolean {
    if (Atomics.load(this.#memory.words, WORD.active) === 0) return false;
    return this.ofNode(engine, node).some((rule) => (rule.operations & FLUSH) !== 0);
  }

  /** Whether a page just written to a node must not stay in the kernel's cache. */
  refusesFreshPages(engine: Engine): boolean {
    return this.ofNode(engine, engine.node).some(refusesFreshPages);
  }
}
