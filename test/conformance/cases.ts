import assert from 'node:assert/strict';
import { shortHash } from '../../src/core/base/hash.ts';
import { Random } from '../../src/core/base/random.ts';
import { KINDS, targetsOf } from '../../src/core/faults/registry.ts';
import type { Act } from '../../src/core/model/act.ts';
import { EXAMPLE_TOPOLOGY } from '../../src/core/model/example-topology.ts';
import type { FaultKind, Facts, Here, Step } from '../../src/core/model/fault.ts';
import type { Answer } from '../../src/core/model/query.ts';
import { FakeLinux } from '../support/fake-linux.ts';

export type Params = Record<string, unknown>;

/** An example of a kind, with the nodes that act. */
export interface Case {
  name: string;
  kind: FaultKind;
  params: Params;
  selected: string[];
  actors: string[];
}

/** Every example of every kind. */
export const CASES: Case[] = KINDS.flatMap((kind) =>
  kind.examples.map((example) => {
    const params = example.params as Params;
    const selected = targetsOf(kind, params) === 'required' ? ['n1'] : [];
    const actors = kind.actors(params, EXAMPLE_TOPOLOGY, selected, () => true);
    return { name: `${kind.kind}: ${example.title}`, kind, params, selected, actors };
  }),
);

/** What a node knows that plans an example; all chance in it is fixed. */
export function hereOf(each: Case, node: string, faultId = 'fault-1'): Here {
  return {
    faultId,
    instance: 1,
    token: `faultline-${shortHash(`${faultId}#1`)}`,
    node,
    topology: EXAMPLE_TOPOLOGY,
    targets: each.selected,
    meets: () => true,
    control: { coordinatorAddresses: ['198.18.0.254'], agentPort: 8611 },
    durationMs: 60_000,
    random: new Random(7).fork(each.kind.kind).fork(node),
  };
}

/** A pretended machine with a broker and one more process. */
export function machine(): FakeLinux {
  const linux = new FakeLinux();
  linux.addService('broker', ['/usr/bin/java', '-Xmx1g', 'kafka.Kafka', 'server.properties']);
  linux.addProcess(['/usr/sbin/cron', '-f']);
  return linux;
}

export async function factsOf(each: Case, here: Here, linux: FakeLinux): Promise<Facts> {
  const facts: Answer[] = [];
  for (const query of each.kind.observe(each.params, here)) facts.push(await linux.ask(query));
  return facts;
}

/** The steps; the plan must have no problems. */
export async function planOf(each: Case, here: Here, linux: FakeLinux): Promise<Step[]> {
  const plan = each.kind.plan(each.params, here, await factsOf(each, here, linux));
  assert.deepEqual(
    plan.filter((part) => 'message' in part),
    [],
    each.name,
  );
  return plan as Step[];
}

export const undoOf = (step: Step): Act | undefined => ('act' in step.undo ? step.undo : undefined);

/** Newest first. */
export async function undoAll(linux: FakeLinux, steps: readonly Step[]): Promise<void> {
  for (const step of steps.toReversed()) {
    const undo = undoOf(step);
    if (undo) await linux.perform(undo);
  }
}

export const reversible = (steps: readonly Step[]): boolean =>
  steps.some((step) => undoOf(step) !== undefined) || steps.length === 0;
