import { OPCODES } from '../../core/codec/fuse/constants.ts';
import {
  CopyFileRangeIn,
  CreateIn,
  FallocateIn,
  GetxattrIn,
  LinkIn,
  MkdirIn,
  MknodIn,
  OpenIn,
  ReadIn,
  Rename2In,
  RenameIn,
  SetattrIn,
  WriteIn,
} from '../../core/codec/fuse/messages.ts';
import { SETATTR } from '../../core/codec/fuse/constants.ts';
import { decide, type Counters, type Verdict } from '../../core/disk/decide.ts';
import { operationBit, operationSet, type Operation } from '../../core/disk/operation.ts';
import {
  compileRules,
  matchesPath,
  refusesFreshPages,
  touchesMetadata,
  type Published,
  type Request,
  type Rule,
} from '../../core/disk/rule.ts';
import type { Engine } from './engine.ts';
import { WORD, type Memory } from './memory.ts';
import { NODE } from './node-table.ts';

const O = OPCODES;
const PER_RULE = 2;

const BITS: Readonly<Record<number, Operation[]>> = {
  [O.lookup]: ['lookup'],
  [O.getattr]: ['getattr'],
  [O.setattr]: ['setattr'],
  [O.readlink]: ['readlink'],
  [O.symlink]: ['symlink'],
  [O.mknod]: ['mknod'],
  [O.mkdir]: ['mkdir'],
  [O.unlink]: ['unlink'],
  [O.rmdir]: ['rmdir'],
  [O.rename]: ['rename'],
  [O.rename2]: ['rename'],
  [O.link]: ['link'],
  [O.open]: ['open'],
  [O.create]: ['create', 'open'],
  [O.tmpfile]: ['create', 'open'],
  [O.read]: ['read'],
  [O.write]: ['write'],
  [O.flush]: ['flush'],
  [O.fsync]: ['fsync'],
  [O.opendir]: ['opendir'],
  [O.readdir]: ['readdir'],
  [O.readdirplus]: ['readdir'],
  [O.fsyncdir]: ['fsyncdir'],
  [O.statfs]: ['statfs'],
  [O.setxattr]: ['setxattr'],
  [O.getxattr]: ['getxattr'],
  [O.listxattr]: ['listxattr'],
  [O.removexattr]: ['removexattr'],
  [O.fallocate]: ['fallocate'],
  [O.lseek]: ['lseek'],
  [O.copyFileRange]: ['copy'],
};
const OPERATION = Array.from({ length: 64 }, (_, opcode) => operationSet(BITS[opcode] ?? []));
const TRUNCATE = operationBit('truncate');

/** Where the names of an operation on names are in its body; 1 or 2 of them. */
const NAMES: Readonly<Record<number, number>> = {
  [O.lookup]: 0,
  [O.unlink]: 0,
  [O.rmdir]: 0,
  [O.symlink]: 0,
  [O.mknod]: MknodIn.size,
  [O.mkdir]: MkdirIn.size,
  [O.link]: LinkIn.size,
  [O.create]: CreateIn.size,
  [O.rename]: RenameIn.size,
  [O.rename2]: Rename2In.size,
};

const NONE: readonly Rule[] = [];
const CACHE_LIMIT = 100_000;

interface Known {
  generation: number;
  rules: readonly Rule[];
}

/** One thread's judgement of requests by the rules in force; their counters are shared. */
export class Judge implements Counters {
  readonly #memory: Memory;
  #epoch = -1;
  #pathEpoch = -1;
  #rules: readonly Rule[] = NONE;
  /** The operations any rule takes: most requests are of others. */
  #operations = 0;
  readonly #byNode = new Map<number, Known>();
  readonly #request: Request = { operation: 0, writes: false, pid: 0, uid: 0, offset: 0, size: 0 };

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  get epoch(): number {
    return this.#epoch;
  }

  match(rule: Rule): number {
    return Atomics.add(this.#memory.counters, rule.index * PER_RULE, 1);
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
    const epoch = Atomics.load(words, WORD.epoch);
    if (epoch !== this.#epoch) {
      // A copy: TextDecoder doesn't read shared memory.
      const bytes = this.#memory.rules.slice(0, Atomics.load(words, WORD.rulesLength));
      const published = JSON.parse(Buffer.from(bytes).toString('utf8')) as Published;
      this.#rules = compileRules(published);
      this.#operations = this.#rules.reduce((set, rule) => set | rule.operations, 0);
      this.#epoch = epoch;
      this.#byNode.clear();
    }
    const pathEpoch = Atomics.load(words, WORD.pathEpoch);
    if (pathEpoch !== this.#pathEpoch) {
      this.#byNode.clear();
      this.#pathEpoch = pathEpoch;
    }
  }

  /** The rules whose globs take a node's current path. */
  ofNode(engine: Engine, node: number): readonly Rule[] {
    this.#refresh();
    const generation = engine.table.get(node, NODE.generation);
    const known = this.#byNode.get(node);
    if (known !== undefined && known.generation === generation) return known.rules;
    const rules = this.#ofPath(engine.table.pathOf(node));
    if (this.#byNode.size >= CACHE_LIMIT) this.#byNode.clear();
    this.#byNode.set(node, { generation, rules });
    return rules;
  }

  /** A nameless file is taken only by rules for any path. */
  #ofPath(path: string | undefined): readonly Rule[] {
    const rules = this.#rules.filter((rule) =>
      path === undefined ? rule.paths.length === 0 : matchesPath(rule, path),
    );
    return rules.length === 0 ? NONE : rules;
  }

  #ofName(engine: Engine, parent: number, offset: number, index: number): readonly Rule[] {
    const name = engine.name(offset, index);
    const directory = engine.table.pathOf(parent);
    if (name === undefined || directory === undefined) return NONE;
    const text = engine.input.toString('utf8', name.from, name.from + name.length);
    return this.#ofPath(directory === '' ? text : `${directory}/${text}`);
  }

  #applying(engine: Engine, operation: number): readonly Rule[] {
    const offset = NAMES[engine.opcode];
    if (offset === undefined) return this.ofNode(engine, engine.node);
    // Only rules that take the operation are worth a path: names are new each time.
    if (!this.#rules.some((rule) => (rule.operations & operation) !== 0)) return NONE;
    const rules = this.#ofName(engine, engine.node, offset, 0);
    let others = NONE;
    if (engine.opcode === O.rename || engine.opcode === O.rename2) {
      others = this.#ofName(engine, engine.u64(RenameIn.at.newdir), offset, 1);
    } else if (engine.opcode === O.link) {
      others = this.ofNode(engine, engine.u64(LinkIn.at.oldnodeid));
    }
    return others.length === 0 ? rules : [...new Set([...rules, ...others])];
  }

  /** What the rules do to the request the engine holds; undefined where they let it pass. */
  ask(engine: Engine): Verdict | undefined {
    this.#refresh();
    let operation = OPERATION[engine.opcode] ?? 0;
    if (engine.opcode === O.setattr && (engine.u32(SetattrIn.at.valid) & SETATTR.size) !== 0) {
      operation = TRUNCATE;
    }
    if ((operation & this.#operations) === 0 || !engine.table.isLive(engine.node)) return undefined;
    const rules = this.#applying(engine, operation);
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

  /** Whether a page just written to a node must not stay in the kernel's cache. */
  refusesFreshPages(engine: Engine): boolean {
    return this.ofNode(engine, engine.node).some(refusesFreshPages);
  }
}

const O_ACCMODE = 3;
const O_TRUNC = 0o1000;

function describe(engine: Engine, request: Request): void {
  request.writes = false;
  request.offset = 0;
  request.size = 0;
  switch (engine.opcode) {
    case O.read:
      request.offset = engine.u64(ReadIn.at.offset);
      request.size = engine.u32(ReadIn.at.size);
      return;
    case O.write:
      request.offset = engine.u64(WriteIn.at.offset);
      request.size = engine.u32(WriteIn.at.size);
      return;
    case O.open:
      request.writes = (engine.u32(OpenIn.at.flags) & (O_ACCMODE | O_TRUNC)) !== 0;
      return;
    case O.setattr:
      request.offset = engine.u64(SetattrIn.at.size);
      return;
    case O.fallocate:
      request.offset = engine.u64(FallocateIn.at.offset);
      request.size = engine.u64(FallocateIn.at.length);
      return;
    case O.copyFileRange:
      request.offset = engine.u64(CopyFileRangeIn.at.offOut);
      request.size = engine.u64(CopyFileRangeIn.at.len);
      return;
    case O.getxattr:
      request.size = engine.u32(GetxattrIn.at.size);
      return;
    default:
      return;
  }
}
