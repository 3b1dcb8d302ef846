import { Type, type Static } from 'typebox';
import { checkSchema } from '../base/schema.ts';
import { invalid, under, valid, type Checked } from '../base/problem.ts';
import { Id, NodeName } from '../model/topology.ts';
import { WORKLOADS, workloadNamed } from './registry.ts';

const strict = { additionalProperties: false };

const ControllerAddress = Type.Object(
  {
    node: NodeName,
    id: Type.Integer({ minimum: 0 }),
    host: Type.String({ minLength: 1, maxLength: 255 }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
  },
  strict,
);
export type ControllerAddress = Static<typeof ControllerAddress>;

/** What a workload process is told: the document of `workload --spec`. */
export const WorkloadSpec = Type.Object(
  {
    kind: Type.Enum(WORKLOADS.map(({ kind }) => kind)),
    /** Identity of the run: in every record, and in the default topic name. */
    run: Id,
    kafka: Type.Object(
      {
        bootstrap: Type.String({ minLength: 1, maxLength: 4096 }),
        properties: Type.Optional(Type.Record(Type.String(), Type.String())),
      },
      strict,
    ),
    /** Controllers to ask, each itself, which of them is the active one. */
    controllers: Type.Optional(Type.Array(ControllerAddress, { maxItems: 100 })),
    params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  strict,
);
export type WorkloadSpec = Static<typeof WorkloadSpec>;

/** Checks a spec whole, parameters of its workload included. */
export function checkWorkloadSpec(document: unknown): Checked<WorkloadSpec> {
  const spec = checkSchema(WorkloadSpec, document);
  if (!spec.ok) return spec;
  const problems = workloadNamed(spec.value.kind)?.check(spec.value.params ?? {}) ?? [];
  return problems.length === 0 ? valid(spec.value) : invalid(...under('/params', problems));
}
