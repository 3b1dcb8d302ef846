import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Random } from '../../../src/core/base/random.ts';
import {
  NAME_MODELS,
  planNames,
  type NameChange,
  type NameModel,
  type NameRecord,
} from '../../../src/core/disk/names.ts';
import type { Loss } from '../../../src/core/disk/unsynced.ts';

const SEED = 2026;
const ROOT = 1;

/** Directories and files by node: a name space small enough to check by looking. */
class Names {
  readonly directories = new Map<number, Map<string, number>>([[ROOT, new Map()]]);
  readonly records: NameRecord[] = [];
  #next = 2;

  at(directory: number, name: string): number {
    return this.directories.get(directory)?.get(name) ?? 0;
  }

  #apply(change: NameChange): void {
    this.records.push(change);
  }

  make(directory: number, name: string, isDirectory = false): number {
    const entries = this.directories.get(directory);
    if (entries === undefined || entries.has(name) || !this.reachable(directory)) return 0;
    const node = this.#next++;
    entries.set(name, node);
    if (isDirectory) this.directories.set(node, new Map());
    this.#apply({ what: 'made', directory, name, node });
    return node;
  }

  remove(directory: number, name: string): void {
    const node = this.at(directory, name);
    if (node === 0 || (this.directories.get(node)?.size ?? 0) > 0) return;
    this.directories.get(directory)?.delete(name);
    this.#apply({ what: 'removed', directory, name, node });
  }

  move(directory: number, name: string, toDirectory: number, toName: string): void {
    const node = this.at(directory, name);
    const to = { directory: toDirectory, name: toName };
    const replaced = this.at(toDirectory, toName);
    const target = this.directories.get(toDirectory);
    if (node === 0 || node === replaced || target === undefined) return;
    if (this.isBelow(toDirectory, node) || !this.reachable(toDirectory)) return;
    if (this.directories.has(node) !== this.directories.has(replaced) && replaced !== 0) return;
    if ((this.directories.get(replaced)?.size ?? 0) > 0) return;
    this.directories.get(directory)?.delete(name);
    target.set(toName, node);
    const reparents = this.directories.has(node) && directory !== toDirectory;
    this.#apply({ what: 'moved', directory, name, node, to, replaced, reparents });
  }

  isBelow(directory: number, ancestor: number): boolean {
    if (directory === ancestor) return true;
    const entries = this.directories.get(ancestor);
    return [...(entries?.values() ?? [])].some(
      (node) => this.directories.has(node) && this.isBelow(directory, node),
    );
  }

  reachable(directory: number): boolean {
    return this.isBelow(directory, ROOT);
  }

  sync(node: number): void {
    this.records.push({ what: 'synced', node });
  }

  /** Undoes one change; every assertion here is a promise of the plan. */
  undo(change: NameChange): void {
    const entries = this.directories.get(change.directory);
    assert.ok(entries !== undefined, `no directory ${change.directory}`);
    if (change.what === 'made') {
      assert.equal(entries.get(change.name), change.node);
      assert.equal(this.directories.get(change.node)?.size ?? 0, 0, 'a directory is not empty');
      entries.delete(change.name);
    } else if (change.what === 'removed') {
      assert.ok(!entries.has(change.name));
      entries.set(change.name, change.node);
    } else if (change.what === 'moved') {
      const target = this.directories.get(change.to.directory);
      assert.equal(target?.get(change.to.name), change.node);
      assert.ok(!entries.has(change.name) || change.directory === change.to.directory);
      assert.ok(!this.isBelow(change.directory, change.node), 'a directory in itself');
      target?.delete(change.to.name);
      entries.set(change.name, change.node);
      if (change.replaced !== 0) target?.set(change.to.name, change.replaced);
    }
  }

  cut(loss: Loss, model: NameModel, seed = 1): number[] {
    const plan = planNames(this.records, loss, model, new Random(seed));
    for (const index of plan) this.undo(this.records[index] as NameChange);
    return plan;
  }

  paths(): string[] {
    const paths: string[] = [];
    const walk = (directory: number, prefix: string): void => {
      for (const [name, node] of this.directories.get(directory) ?? []) {
        paths.push(`${prefix}${name}=${node}`);
        if (this.directories.has(node)) walk(node, `${prefix}${name}/`);
      }
    };
    walk(ROOT, '');
    return paths.sort();
  }
}

test('a file created and not synced is gone; the fsync of its directory keeps it', () => {
  for (const model of NAME_MODELS) {
    const names = new Names();
    names.make(ROOT, 'before');
    names.sync(ROOT);
    names.make(ROOT, 'after');
    names.cut('all', model);
    assert.deepEqual(names.paths(), ['before=2'], model);
  }
});

test("a file's own fsync keeps its name and what leads there, but not in POSIX's letter", () => {
  for (const [model, kept] of [
    ['posix', []],
    ['own', ['d/f=3', 'd=2']],
    ['journal', ['d/f=3', 'd/other=4', 'd=2']],
  ] as const) {
    const names = new Names();
    const directory = names.make(ROOT, 'd', true);
    const file = names.make(directory, 'f');
    names.make(directory, 'other');
    names.sync(file);
    names.cut('all', model);
    assert.deepEqual(names.paths(), kept, model);
  }
});

test('a rename undone puts back what it replaced, an unlink undone brings the file back', () => {
  const names = new Names();
  names.make(ROOT, 'checkpoint');
  names.make(ROOT, 'other');
  names.sync(ROOT);
  const before = names.paths();
  names.make(ROOT, 'checkpoint.tmp');
  names.move(ROOT, 'checkpoint.tmp', ROOT, 'checkpoint');
  names.remove(ROOT, 'other');
  assert.equal(names.cut('all', 'own').length, 3);
  assert.deepEqual(names.paths(), before);
});

test('a tmp that was synced before its rename survives under either name, never under none', () => {
  const names = new Names();
  names.make(ROOT, 'checkpoint');
  names.sync(ROOT);
  const file = names.make(ROOT, 'checkpoint.tmp');
  names.sync(file);
  names.move(ROOT, 'checkpoint.tmp', ROOT, 'checkpoint');
  names.cut('all', 'own');
  assert.deepEqual(names.paths(), ['checkpoint.tmp=3', 'checkpoint=2']);
});

test('a move between directories is one change: synced in one, it holds in both', () => {
  for (const synced of ['from', 'to']) {
    const names = new Names();
    const directories = {
      from: names.make(ROOT, 'from', true),
      to: names.make(ROOT, 'to', true),
    };
    names.sync(ROOT);
    names.make(directories.from, 'f');
    names.sync(directories.from);
    names.move(directories.from, 'f', directories.to, 'g');
    names.sync(synced === 'from' ? directories.from : directories.to);
    names.cut('all', 'posix');
    assert.deepEqual(names.paths(), ['from=2', 'to/g=4', 'to=3'], synced);
  }
});

test('directories that change parents hold only in order: no directory ends up in itself', () => {
  for (const model of NAME_MODELS) {
    const names = new Names();
    const a = names.make(ROOT, 'a', true);
    const x = names.make(a, 'x', true);
    names.sync(ROOT);
    names.sync(a);
    names.move(a, 'x', ROOT, 'x');
    names.move(ROOT, 'a', x, 'a');
    names.sync(x);
    names.cut('all', model);
    assert.deepEqual(names.paths(), ['x/a=2', 'x=3'], model);
  }
});

const step = fc.record({
  what: fc.constantFrom('file', 'directory', 'remove', 'move', 'move', 'sync', 'syncFile'),
  a: fc.nat(5),
  b: fc.nat(5),
  name: fc.constantFrom('x', 'y', 'z'),
  other: fc.constantFrom('x', 'y', 'z'),
});

function play(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): Names {
  const names = new Names();
  const pick = (number: number): number => {
    const all = [...names.directories.keys()].filter((node) => names.reachable(node));
    return all[number % all.length] ?? ROOT;
  };
  for (const { what, a, b, name, other } of steps) {
    const directory = pick(a);
    if (what === 'file') names.make(directory, name);
    else if (what === 'directory') names.make(directory, name, true);
    else if (what === 'remove') names.remove(directory, name);
    else if (what === 'move') names.move(directory, name, pick(b), other);
    else if (what === 'sync') names.sync(directory);
    else if (names.at(directory, name) !== 0) names.sync(names.at(directory, name));
  }
  return names;
}

test('whatever was done and whatever is lost: every undo fits, and no tree is torn', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 25 }),
      fc.constantFrom<Loss>('all', 'subset', 'torn', 'reordered'),
      fc.constantFrom(...NAME_MODELS),
      fc.nat(),
      (steps, loss, model, seed) => {
        const names = play(steps);
        const plan = names.cut(loss, model, seed);
        assert.deepEqual(
          [...plan].sort((one, other) => other - one),
          plan,
        );
      },
    ),
    { seed: SEED, numRuns: 3000 },
  );
});

test('nothing synced: all is as it was. The last act a sync of everything: nothing is lost', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 25 }),
      fc.constantFrom(...NAME_MODELS),
      (steps, model) => {
        const unsynced = play(steps.filter(({ what }) => !what.startsWith('sync')));
        unsynced.cut('all', model);
        assert.deepEqual(unsynced.paths(), []);
        const synced = play(steps);
        const before = synced.paths();
        for (const node of synced.directories.keys()) synced.sync(node);
        synced.cut('all', model);
        assert.deepEqual(synced.paths(), before);
      },
    ),
    { seed: SEED, numRuns: 1000 },
  );
});

test('what was fsynced is there afterwards, whatever else is lost', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 20 }),
      fc.array(step, { maxLength: 8 }),
      fc.constantFrom<Loss>('all', 'subset', 'torn', 'reordered'),
      fc.constantFrom<NameModel>('own', 'journal'),
      fc.nat(),
      (steps, later, loss, model, seed) => {
        const names = play([...steps, { what: 'file', a: 0, b: 0, name: 'x', other: 'x' }]);
        const file = names.at(ROOT, 'x');
        names.sync(file);
        // Afterwards nobody touches that name, nor moves it.
        const elsewhere = later.filter(({ name, other }) => name !== 'x' && other !== 'x');
        for (const { what, name, other } of elsewhere) {
          if (what === 'file') names.make(ROOT, name);
          else if (what === 'remove') names.remove(ROOT, name);
          else if (what === 'move') names.move(ROOT, name, ROOT, other);
        }
        names.cut(loss, model, seed);
        assert.equal(names.at(ROOT, 'x'), file);
      },
    ),
    { seed: SEED, numRuns: 1000 },
  );
});
