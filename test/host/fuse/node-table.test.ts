import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../../src/core/base/random.ts';
import { createShared, openMemory } from '../../../src/host/fuse/memory.ts';
import type { Name } from '../../../src/host/fuse/name-table.ts';
import { ROOT } from '../../../src/host/fuse/node-row.ts';
import { NodeTable } from '../../../src/host/fuse/node-table.ts';

const FILE = 0o100000;
const SEED = 7;
/** So few that directory and name often meet in one chain; and a name longer than a block. */
const NAMES = ['a', 'b', 'index', 'long'.repeat(60), 'ä'];

function nameOf(text: string): Name {
  const bytes = Buffer.from(`/${text}`);
  return { bytes, from: 1, length: bytes.length - 1 };
}

function newTable(): NodeTable {
  const table = new NodeTable(openMemory(createShared({ nodes: 64, files: 16 })));
  table.start(1, 1, 0);
  return table;
}

function enter(table: NodeTable, inode: number, parent: number, name: string): number {
  return table.enter(1, inode, 0, FILE, parent, nameOf(name));
}

/** What a table should say, kept in the plainest way: per node its look-ups and its names, newest first. */
class Model {
  readonly nodes = new Map<number, { inode: number; lookups: number; names: string[] }>();

  child(name: string): number[] {
    return [...this.nodes].filter(([, { names }]) => names.includes(name)).map(([node]) => node);
  }
}

describe('the node table', () => {
  test(`names, found both ways, through thousands of random changes (seed ${SEED})`, () => {
    const random = new Random(SEED);
    const table = newTable();
    const model = new Model();
    for (let step = 0; step < 20_000; step++) {
      const inode = 100 + random.below(12);
      const name = random.pick(NAMES);
      const [known] = [...model.nodes].find(([, each]) => each.inode === inode) ?? [0];
      const row = model.nodes.get(known);
      switch (random.below(4)) {
        case 0: {
          // A name leads to one inode at a time: whoever had it has lost it before.
          for (const other of model.child(name)) {
            if (other === known) continue;
            table.removeName(other, ROOT, nameOf(name));
            const names = model.nodes.get(other)?.names ?? [];
            names.splice(names.indexOf(name), 1);
          }
          const node = enter(table, inode, ROOT, name);
          assert.ok(node > ROOT, `seed ${SEED}, step ${step}`);
          if (row !== undefined) assert.equal(node, known);
          const entered = row ?? { inode, lookups: 0, names: [] };
          entered.lookups++;
          if (!entered.names.includes(name)) entered.names.unshift(name);
          model.nodes.set(node, entered);
          break;
        }
        case 1:
          if (row === undefined) break;
          row.names = row.names.filter((each) => each !== name);
          assert.equal(table.removeName(known, ROOT, nameOf(name)), row.names.length > 0);
          break;
        case 2:
          if (row === undefined) break;
          table.forget(known, 1);
          if (--row.lookups === 0) model.nodes.delete(known);
          break;
        default:
          assert.equal(table.child(ROOT, nameOf(name)), model.child(name)[0] ?? 0);
          assert.equal(table.find(1, inode, 0), known);
          assert.equal(table.isLive(known), known !== 0);
          if (row === undefined) break;
          assert.equal(table.parentOf(known), row.names.length > 0 ? ROOT : 0);
          assert.equal(table.pathOf(known), row.names[0]);
      }
    }
  });

  test('a directory stays as long as something below it is known, and goes with it', () => {
    const table = newTable();
    const directory = table.enter(1, 50, 0, 0o040000, ROOT, nameOf('d'));
    const file = enter(table, 51, directory, 'f');
    assert.equal(table.forget(directory, 1), -1);
    assert.equal(table.pathOf(file), 'd/f');
    table.forget(file, 1);
    assert.equal(table.isLive(directory), false);
    assert.equal(table.child(ROOT, nameOf('d')), 0);
  });

  test('a full table says so and takes nothing', () => {
    const table = newTable();
    const nodes = Array.from({ length: 100 }, (_, index) =>
      enter(table, 200 + index, ROOT, `f${index}`),
    );
    assert.ok(nodes.includes(0));
    assert.equal(table.child(ROOT, nameOf('f0')), nodes[0]);
    assert.equal(table.child(ROOT, nameOf('f99')), 0);
  });
});
