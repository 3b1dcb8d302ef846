import assert from 'node:assert/strict';
import { Failure } from '../../src/core/base/failure.ts';
import type { Act } from '../../src/core/model/act.ts';
import { ours, type Bench } from './linux-suite.ts';

/** What stands by rules that the kernel expires: how it begins, is kept alive, and ends. */
export interface StandingActs {
  start: Act;
  refresh: Act;
  release: Act;
}

/** Begun once or twice, found, and released once or twice. @param meanwhile looks at it in force. */
export async function liveOnce(
  { linux }: Bench,
  { start, refresh, release }: StandingActs,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const stands = async (expected: boolean): Promise<void> => {
    assert.equal(await linux.holds(start), expected);
    assert.equal(await linux.holds(release), !expected);
  };
  await linux.perform(release);
  await linux.perform(refresh);
  await stands(false);
  await linux.perform(start);
  await linux.perform(start);
  await linux.perform(refresh);
  await stands(true);
  await meanwhile();
  const left = await ours(linux);
  assert.ok(left.some(({ act }) => act === release.act));
  for (const remove of left) await linux.perform(remove);
  assert.deepEqual(await ours(linux), []);
  await linux.perform(release);
  await stands(false);
}

/** Refreshed by nobody, it ends by itself, and is not revived. @param acts with a timeout of 2 s. */
export async function expireAlone(
  { linux, pass }: Bench,
  { start, refresh, release }: StandingActs,
): Promise<void> {
  await linux.perform(start);
  await pass(3_000);
  assert.equal(await linux.holds(refresh), false);
  await assert.rejects(
    linux.perform(refresh),
    (error) => error instanceof Failure && error.code === 'expired',
  );
  await linux.perform(release);
  await linux.perform(refresh);
  assert.deepEqual(await ours(linux), []);
}
