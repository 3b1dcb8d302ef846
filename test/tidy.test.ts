/** The house rules, held by the repository itself. The checks, each with tests of its own: test/tidy/. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { CHECKERS } from '../src/core/checkers/registry.ts';
import { checkScenario } from '../src/core/coordinator/check-scenario.ts';
import { KINDS } from '../src/core/faults/registry.ts';
import { AGENT_ROUTES, COORDINATOR_ROUTES } from '../src/core/model/api.ts';
import { EXAMPLE_TOPOLOGY } from '../src/core/model/example-topology.ts';
import { TASK_CLASSES } from '../src/core/trogdor/registry.ts';
import { WORKLOADS } from '../src/core/workloads/registry.ts';
import { checkLinks, checkTitles } from './tidy/documents.ts';
import { checkCycles, checkLayers } from './tidy/layers.ts';
import { actNames, checkActs, checkKinds, checkRegistry, checkRoutes } from './tidy/registries.ts';
import { checkLengths, checkNames, checkWidth } from './tidy/shape.ts';
import { filesOf, ROOT, type Violation } from './tidy/source.ts';
import {
  checkCatches,
  checkDangerousCommands,
  checkLeftBehind,
  checkPurity,
  checkSkips,
} from './tidy/words.ts';

const CODE = filesOf(['.ts']);
const SOURCE = CODE.filter(({ path: name }) => name.startsWith('src/'));
const PYTHON = filesOf(['.py'], 'python');
const PAGES = filesOf(['.md']);
const SCRIPTS = filesOf(['.sh', '/run', 'lab/node-ctl', '.ts']);

function read(name: string): { path: string; text: string } {
  return { path: name, text: readFileSync(path.join(ROOT, name), 'utf8') };
}

function holds(violations: readonly Violation[]): void {
  assert.equal(violations.join('\n'), '');
}

suite('house rules', () => {
  test('imports follow the arrows of the layers', () => holds(checkLayers(SOURCE)));
  test('no import cycles', () => holds(checkCycles(CODE)));
  test('core has no clock, no chance, no locale', () => holds(checkPurity(SOURCE)));
  test('no command undoes what is not ours; no shell', () =>
    holds(checkDangerousCommands(SCRIPTS)));
  test('every catch has a reason', () => holds(checkCatches(CODE)));
  test('nothing half-done stays behind', () => holds(checkLeftBehind(CODE)));
  test('every skip names a need', () => holds(checkSkips(CODE)));
  test('files hold one idea', () => holds(checkLengths([...CODE, ...PYTHON])));
  test('lines fit', () => holds(checkWidth(CODE)));
  test('names say something', () => holds(checkNames(CODE)));
});

suite('registries', () => {
  const folder = (name: string): string[] =>
    readdirSync(path.join(ROOT, name)).filter((file) => file.endsWith('.ts'));

  test('one kind, one file', () => {
    const names = KINDS.map(({ kind }) => kind);
    holds(checkRegistry('src/core/faults', names, folder('src/core/faults')));
  });
  test('one checker, one file', () => {
    const names = CHECKERS.map(({ name }) => name);
    holds(checkRegistry('src/core/checkers', names, folder('src/core/checkers')));
  });
  test("one class of Trogdor's, one file", () => {
    const [names, place] = [TASK_CLASSES.map(({ name }) => name), 'src/core/trogdor/classes'];
    holds(checkRegistry(place, names, folder(place)));
  });
  test('every workload has its file', () => {
    const files = folder('src/core/workloads');
    for (const { kind } of WORKLOADS) assert.ok(files.includes(`${kind}.ts`), kind);
  });
  test('every kind is described and shown', () => holds(checkKinds(KINDS)));

  test('every act is performed, faked and put into words', () => {
    const model = sourceOf('src/core/model/act');
    const acts = actNames(model);
    assert.ok(acts.length > 5, 'the acts are found');
    holds(
      checkActs(acts, [
        { path: 'src/core/model/act*.ts', text: model },
        { path: 'src/host/linux', text: sourceOf('src/host/linux/') },
        { path: 'test/support/fake-*.ts', text: sourceOf('test/support/fake-') },
      ]),
    );
  });

  const sourceOf = (...places: string[]): string =>
    CODE.filter(({ path: name }) => places.some((place) => name.startsWith(place)))
      .map(({ text }) => text)
      .join('\n');

  test('every route has a handler and a row in the reference', () => {
    const docs = read('docs/reference/rest.md').text;
    const coordinator = sourceOf('src/host/coordinator', 'src/host/http');
    const agent = sourceOf('src/host/agent', 'src/host/http');
    holds(checkRoutes(COORDINATOR_ROUTES, coordinator, docs));
    holds(checkRoutes(AGENT_ROUTES, agent, docs));
  });
});

suite('documents', () => {
  test('every page has one title', () => holds(checkTitles(PAGES)));
  test('every relative link leads somewhere', () => holds(checkLinks(PAGES)));

  test('every scenario that ships is valid', () => {
    const files = readdirSync(path.join(ROOT, 'scenarios')).filter((file) => /\.ya?ml$/.test(file));
    assert.ok(files.length > 0);
    for (const file of files) {
      const checked = checkScenario(parse(read(`scenarios/${file}`).text), EXAMPLE_TOPOLOGY);
      assert.deepEqual(checked.ok ? [] : checked.problems, [], file);
    }
  });
});
