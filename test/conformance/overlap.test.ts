import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { canonicalJson } from '../../src/core/base/canonical-json.ts';
import type { Here } from '../../src/core/model/fault.ts';
import {
  CASES,
  factsOf,
  hereOf,
  machine,
  planOf,
  reversible,
  undoAll,
  type Case,
} from './cases.ts';

suite('two at once', () => {
  const first = (cases: readonly Case[]): Case[] =>
    cases.filter((each, index) => cases.findIndex((other) => other.kind === each.kind) === index);

  for (const left of CASES) {
    for (const right of first(CASES)) {
      test(`${left.name} with ${right.name}: healed in either order, or refused`, async () => {
        for (const leftFirst of [true, false]) await overlap(left, right, leftFirst);
      });
    }
  }
});

async function overlap(left: Case, right: Case, leftFirst: boolean): Promise<void> {
  const node = left.actors.find((actor) => right.actors.includes(actor));
  if (node === undefined) return;
  const linux = machine();
  const before = canonicalJson(linux.snapshot());
  const hereLeft = hereOf(left, node, 'left');
  const hereRight = hereOf(right, node, 'right');
  const claimsOf = async (each: Case, here: Here): Promise<string[]> =>
    each.kind.claims(each.params, here, await factsOf(each, here, linux)).map((claim) => claim.key);
  const held = new Set(await claimsOf(left, hereLeft));
  const stepsLeft = await planOf(left, hereLeft, linux);
  if ((await claimsOf(right, hereRight)).some((key) => held.has(key))) return;
  const stepsRight = await planOf(right, hereRight, linux);
  if (!reversible(stepsLeft) || !reversible(stepsRight)) return;
  for (const step of [...stepsLeft, ...stepsRight]) await linux.perform(step.act);
  const [one, other] = leftFirst ? [stepsLeft, stepsRight] : [stepsRight, stepsLeft];
  await undoAll(linux, one);
  for (const step of other) assert.equal(await linux.holds(step.act), true, step.says);
  await undoAll(linux, other);
  assert.equal(canonicalJson(linux.snapshot()), before);
}
