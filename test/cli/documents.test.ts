import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DOCUMENT_SCHEMAS, schemaText } from '../../src/core/model/document-schemas.ts';
import { faultline, withFiles } from './support.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SHIPPED = readdirSync(join(ROOT, 'scenarios')).filter((file) => file.endsWith('.yaml'));

const BAD = `faultline: 1
name: Bad Name
duration: 60
wrkload: {}
workload: { kind: lgo }
draw:
  every: 0s
  duration: { min: 10s, max: 2s }
  quiet: { share: 9/8 }
  kinds:
    - { kind: network.partion, weight: 0 }
    - { kind: process.kill, weight: 0, targets: nobody, params: { signal: SIGNOPE } }
faults:
  - { at: 10s, kind: noop, targets: 'leader(' }
  - { at: 10s, kind: cpu.load, duration: 5s }
`;

interface Validated {
  valid: boolean;
  documents: { file: string; problems: { path: string; line: number; nearMiss?: string }[] }[];
}

/** Shapes are wrong in every part: what else is wrong in these parts must be said as well. */
const WRONG_SHAPES = `faultline: 1
name: x
duration: 30s
workload: { kind: log }
draw:
  every: 10s
  kinds:
    - { kind: network.partion }
faults:
  - { at: 5s, kind: process.kil, targets: n77, duration: 15 }
checks: [losss]
`;

describe('validate', () => {
  test('one wrong shape does not hide what is wrong beside it', () => {
    const { code, stdout } = withFiles({ 'x.yaml': WRONG_SHAPES }, (directory) =>
      faultline(['validate', join(directory, 'x.yaml')]),
    );
    assert.equal(code, 65);
    const paths = ['draw/duration', 'draw/kinds/0/kind', 'faults/0/kind', 'faults/0/targets'];
    for (const path of [...paths, 'faults/0/duration', 'checks/0'])
      assert.match(stdout, new RegExp(`: /${path}: `));
  });
  test('what ships is fine', () => {
    const files = SHIPPED.map((file) => `scenarios/${file}`);
    const { code, stdout } = faultline(['validate', ...files]);
    assert.equal(code, 0, stdout);
    assert.equal(stdout, files.map((file) => `${file}: fine\n`).join(''));
  });

  test('all problems at once: of the shape and of the meaning, each with its line', () => {
    withFiles({ 'bad.yaml': BAD }, (directory) => {
      const { code, stdout } = faultline(['validate', join(directory, 'bad.yaml'), '--json']);
      assert.equal(code, 65);
      const { valid, documents } = JSON.parse(stdout) as Validated;
      assert.equal(valid, false);
      const found = documents[0]?.problems.map(({ path, line }) => `${line} ${path}`);
      assert.deepEqual(found, [
        '2 /name',
        '3 /duration',
        '4 /wrkload',
        '5 /workload/kind',
        '7 /draw/every',
        '8 /draw/duration/min',
        '9 /draw/quiet/share',
        '11 /draw/kinds',
        '11 /draw/kinds/0/kind',
        '12 /draw/kinds/1/targets',
        '12 /draw/kinds/1/params/signal',
        '14 /faults/0/targets',
        '15 /faults/1/targets',
      ]);
      const near = documents[0]?.problems.flatMap(({ nearMiss }) => nearMiss ?? []);
      assert.deepEqual(near, ['workload', 'log', 'network.partition']);
    });
  });

  test('for people, as compilers write it', () => {
    withFiles({ 'bad.yaml': BAD }, (directory) => {
      const file = join(directory, 'bad.yaml');
      const { stdout } = faultline(['validate', file]);
      assert.match(stdout, new RegExp(`^${file}:11:\\d+: /draw/kinds/0/kind: .*did you mean`, 'm'));
    });
  });

  test('JSON is taken like YAML; what is neither is told with its line', () => {
    const json = JSON.stringify({ faultline: 1, name: 'calm', duration: '1m' });
    withFiles({ 'calm.json': json, 'torn.yaml': 'a: [1,\nb: }\n' }, (directory) => {
      assert.equal(faultline(['validate', join(directory, 'calm.json')]).code, 0);
      const torn = faultline(['validate', join(directory, 'torn.yaml')]);
      assert.equal(torn.code, 65);
      assert.match(torn.stderr, /neither YAML nor JSON/);
      assert.match(torn.stderr, /line 2/);
    });
  });

  test('a lab has 0 to 2 disks, and one at least where faults need our file system', () => {
    const scenario = (disks: number): string => `faultline: 1
name: x
duration: 30s
cluster: { lab: { disks: ${disks} } }
faults:
  - { at: 5s, kind: disk.fill, targets: n1, params: { directory: /x, share: 1/2 }, duration: 5s }
  - { at: 15s, kind: disk.powercut, targets: n1, duration: 5s }
`;
    const said = (disks: number): string =>
      faultline(['validate', '-'], { input: scenario(disks) }).stdout;
    assert.match(said(3), /:4:\d+: \/cluster\/lab\/disks: /);
    assert.match(said(0), /:4:\d+: \/cluster\/lab\/disks: disk\.powercut happens on .* none/);
    assert.doesNotMatch(said(1), /\/cluster/);
  });

  test('the listeners of a lab are known before it is there', () => {
    const params = { shape: 'isolate', listeners: ['replication', 'controller'] };
    const cut = { at: '1s', kind: 'network.partition', targets: 'n1', params, duration: '5s' };
    const scenario = { faultline: 1, name: 'cut', duration: '10s', faults: [cut] };
    withFiles({ 'cut.json': JSON.stringify(scenario) }, (directory) => {
      const { code, stdout } = faultline(['validate', join(directory, 'cut.json')]);
      assert.equal(code, 0, stdout);
    });
  });

  test('a cluster.yaml is known by its nodes', () => {
    const cluster = 'name: c\nnodes:\n  - { name: a, addresses: [10.0.0.1], roles: [brokr] }\n';
    withFiles({ 'cluster.yaml': cluster }, (directory) => {
      const { code, stdout } = faultline(['validate', join(directory, 'cluster.yaml')]);
      assert.equal(code, 65);
      assert.match(stdout, /cluster\.yaml:3:\d+: \/nodes\/0\/roles\/0: /);
    });
  });

  test('standard input, empty documents, and bombs of aliases', () => {
    const fine = 'faultline: 1\nname: x\nduration: 10s\n';
    assert.equal(faultline(['validate', '-'], { input: fine }).code, 0);
    assert.equal(faultline(['validate', '-'], { input: '' }).code, 65);
    const line = (n: number): string => `l${n}: &l${n} [${`*l${n - 1},`.repeat(9)}]`;
    const bomb = ['l0: &l0 [a,a]', ...[1, 2, 3, 4, 5, 6, 7, 8].map(line)].join('\n');
    const said = faultline(['validate', '-'], { input: bomb });
    assert.equal(said.code, 65);
    assert.doesNotMatch(said.stderr, /bug/);
  });
});

describe('schemas for editors', () => {
  for (const name of Object.keys(DOCUMENT_SCHEMAS)) {
    test(`docs/reference/${name}.schema.json is fresh (node tools/schemas.ts)`, () => {
      const file = join(ROOT, 'docs/reference', `${name}.schema.json`);
      assert.equal(readFileSync(file, 'utf8'), schemaText(name));
    });
  }
  test('scenarios that ship name theirs, and the verdict they must get', () => {
    for (const file of SHIPPED) {
      const text = readFileSync(join(ROOT, 'scenarios', file), 'utf8');
      assert.match(text, /^# yaml-language-server: \$schema=\.\.\/docs\/reference\/scenario/);
      assert.match(text, /^expect: (valid|invalid)$/m, file);
    }
  });
});

describe('schedule and explain', () => {
  test('the same seed prints the same bytes, with no cluster running', () => {
    const call = ['schedule', 'scenarios/demo.yaml', '--seed', '7', '--json'];
    const first = faultline(call);
    assert.equal(first.code, 0);
    assert.equal(faultline(call).stdout, first.stdout);
    const golden = join(ROOT, 'test/core/schedule/golden/demo-7.json');
    assert.equal(first.stdout, readFileSync(golden, 'utf8'));
    assert.notEqual(
      faultline(['schedule', 'scenarios/demo.yaml', '--seed', '8', '--json']).stdout,
      first.stdout,
    );
  });

  test('for people: a table, and how full it is', () => {
    const { stdout } = faultline(['schedule', 'scenarios/demo.yaml', '--seed', '7']);
    assert.match(stdout, /^scenario demo, seed 7, 1m/);
    assert.match(stdout, /^AT +FOR +KIND/m);
    assert.match(stdout, /\d+ faults, at most \d at once/);
  });

  test('every fault of the schedule is explained on every acting node, with its undo', () => {
    const { code, stdout } = faultline(['explain', 'scenarios/demo.yaml', '--seed', '2', '--json']);
    assert.equal(code, 0);
    const { schedule, faults } = JSON.parse(stdout) as {
      schedule: { faults: { id: string }[] };
      faults: {
        fault: { id: string; kind: string };
        blastRadius: string[];
        nodes: { node: string; problems: string[]; steps: { undo: string; rules?: string }[] }[];
      }[];
    };
    assert.deepEqual(
      faults.map(({ fault }) => fault.id),
      schedule.faults.map(({ id }) => id),
    );
    for (const { fault, blastRadius, nodes } of faults) {
      assert.ok(blastRadius.length > 0, fault.id);
      assert.ok(
        nodes.some(({ steps }) => steps.length > 0),
        fault.id,
      );
      for (const { steps, problems } of nodes) {
        assert.deepEqual(problems, []);
        for (const { undo } of steps) assert.ok(undo.length > 0);
      }
      if (fault.kind === 'network.partition') assert.match(stdout, /counter } drop/);
    }
  });

  test('kinds: the list, one of them, and one that is not', () => {
    assert.match(faultline(['kinds']).stdout, /^network\.partition  /m);
    assert.match(faultline(['kinds', 'process.kill']).stdout, /EXAMPLES/);
    const { kinds } = JSON.parse(faultline(['kinds', '--json']).stdout) as { kinds: unknown[] };
    assert.ok(kinds.length >= 5);
    const unknown = faultline(['kinds', 'process.kil']);
    assert.equal(unknown.code, 66);
    assert.match(unknown.stderr, /process\.kill/);
  });
});
