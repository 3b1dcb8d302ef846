import { Type, type TSchema } from 'typebox';
import { Duration } from '../base/duration.ts';
import { AgentFaultRequest, FaultRequest } from './fault-request.ts';
import { AgentFaultStatus, FaultStatus, NodeStatus } from './fault-status.ts';
import { STATES } from './lifecycle.ts';
import { Scenario } from './scenario.ts';
import { Id } from './topology.ts';

/**
 * Every REST route, as data. From here come the servers, the client, the OpenAPI 3.1 documents, the
 * reference page and the fuzz test. A frame on an agent's link is one of these routes too: nothing
 * travels there that is not REST.
 */
export interface Route {
  /** Unique within its daemon; the method of the client. */
  name: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Parameters in braces, as OpenAPI writes them. */
  path: string;
  summary: string;
  /** What a token must allow: 'read' looks, 'operate' changes. 'none' needs no token. */
  access: 'none' | 'read' | 'operate';
  pathParams?: TSchema;
  query?: TSchema;
  body?: TSchema;
  /** Shape of the JSON answer. */
  answer?: TSchema;
  /** Answers that are no errors: status to meaning. */
  answers: Readonly<Record<number, string>>;
  /** Problem details (RFC 9457): status to when. 400, 401, 403, 413 and 500 are every route's. */
  errors: Readonly<Record<number, string>>;
  /** Repeating the same request changes nothing more (RFC 9110, 9.2.2). */
  idempotent: boolean;
  /** Content type of the answer where it is not JSON. */
  stream?: 'text/event-stream' | 'application/jsonl' | 'text/plain';
}

const strict = { additionalProperties: false } as const;
const withId = Type.Object({ id: Id }, strict);
const NOT_FOUND = { 404: 'no such thing' };
const REFUSED = {
  409: 'the same id with another spec, or what it needs is held by another fault',
  422: 'every problem of the document, each with its path',
};

export const DryRunQuery = Type.Object(
  {
    /** 'true': check, resolve, probe and plan on every node; touch nothing, keep nothing. */
    dryRun: Type.Optional(Type.Enum(['true', 'false'])),
    /** Answer once the fault is active or has ended, at most after this long. */
    wait: Type.Optional(Duration),
  },
  strict,
);

const EventsQuery = Type.Object(
  {
    fault: Type.Optional(Id),
    run: Type.Optional(Id),
    /** Like the header Last-Event-ID: resume after this event. */
    after: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
  },
  strict,
);

export const RunRequest = Type.Object(
  { id: Id, scenario: Scenario, seed: Type.Optional(Type.String({ pattern: '^[0-9]{1,20}$' })) },
  strict,
);

export const ScheduleRequest = Type.Object(
  { scenario: Scenario, seed: Type.String({ pattern: '^[0-9]{1,20}$' }) },
  strict,
);

/** The faults whose leases the coordinator renews; it names what still stands, and no more. */
export const LeaseRequest = Type.Object(
  {
    owner: Type.String({ pattern: '^[a-z0-9-]{1,63}$' }),
    faults: Type.Array(Type.Object({ id: Id, instance: Type.Integer({ minimum: 1 }) }, strict), {
      maxItems: 10_000,
    }),
  },
  strict,
);

export const FireRequest = Type.Object(
  {
    instance: Type.Integer({ minimum: 1 }),
    /** This node's CLOCK_BOOTTIME, ms (may have a fraction). */
    atBootMs: Type.Number({ minimum: 0 }),
  },
  strict,
);

/** Both daemons have these: a script can talk to an agent as to a coordinator. */
const BOTH_ROUTES: Route[] = [
  {
    name: 'health',
    method: 'GET',
    path: '/v1/health',
    summary: 'Name, version and role of the daemon.',
    access: 'none',
    answers: { 200: 'alive' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'openapi',
    method: 'GET',
    path: '/openapi.json',
    summary: 'This API as OpenAPI 3.1.',
    access: 'none',
    answers: { 200: 'the document' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'metrics',
    method: 'GET',
    path: '/metrics',
    summary: 'Prometheus metrics.',
    access: 'read',
    answers: { 200: 'text exposition format' },
    errors: {},
    idempotent: true,
    stream: 'text/plain',
  },
  {
    name: 'events',
    method: 'GET',
    path: '/v1/events',
    summary: 'Events as they happen (server-sent events), resumable by Last-Event-ID.',
    access: 'read',
    query: EventsQuery,
    answers: { 200: 'a stream that does not end' },
    errors: {},
    idempotent: true,
    stream: 'text/event-stream',
  },
  {
    name: 'heal',
    method: 'POST',
    path: '/v1/heal',
    summary:
      'Heals everything, cancels runs, schedules and armed faults, refuses new ones until resume.',
    access: 'operate',
    query: Type.Object({ wait: Type.Optional(Duration) }, strict),
    answers: { 202: 'healing' },
    errors: {},
    idempotent: true,
  },
];

/** Both daemons have these too, each with its own view of a fault. */
const faultRoutes = (fault: TSchema): Route[] => [
  {
    name: 'getFault',
    method: 'GET',
    path: '/v1/faults/{id}',
    summary: 'One fault with every node, its receipt and who ended it.',
    access: 'read',
    pathParams: withId,
    answer: fault,
    answers: { 200: 'the fault' },
    errors: NOT_FOUND,
    idempotent: true,
  },
  {
    name: 'healFault',
    method: 'DELETE',
    path: '/v1/faults/{id}',
    summary: 'Heals a fault; its record is kept.',
    access: 'operate',
    pathParams: withId,
    query: Type.Object({ wait: Type.Optional(Duration) }, strict),
    answer: fault,
    answers: { 202: 'healing', 200: 'it had ended already' },
    errors: NOT_FOUND,
    idempotent: true,
  },
];

const ANY_STATE = `(${STATES.join('|')})`;
const StateList = Type.String({
  maxLength: 200,
  pattern: `^${ANY_STATE}(,${ANY_STATE})*$`,
  title: 'list of states',
  description: `states with commas between them, of ${STATES.join(', ')}`,
});

const FaultsQuery = Type.Object(
  { state: Type.Optional(StateList), run: Type.Optional(Id) },
  strict,
);

export const COORDINATOR_ROUTES: Route[] = [
  ...BOTH_ROUTES,
  ...faultRoutes(FaultStatus),
  {
    name: 'createFault',
    method: 'POST',
    path: '/v1/faults',
    summary: 'Creates a fault: arms it on every acting node, then fires at one instant.',
    access: 'operate',
    query: DryRunQuery,
    body: FaultRequest,
    answer: FaultStatus,
    answers: {
      201: 'created; Location names it',
      200: 'the same fault was there already, or a dry run',
    },
    errors: REFUSED,
    idempotent: true,
  },
  {
    name: 'listFaults',
    method: 'GET',
    path: '/v1/faults',
    summary: 'Faults, newest first.',
    access: 'read',
    query: FaultsQuery,
    answer: Type.Object({ faults: Type.Array(FaultStatus) }),
    answers: { 200: '{ faults: [...] }' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'listNodes',
    method: 'GET',
    path: '/v1/nodes',
    summary: 'Nodes with their links, clocks and capabilities.',
    access: 'read',
    answer: Type.Object({ nodes: Type.Array(NodeStatus) }),
    answers: { 200: '{ nodes: [...] }' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'cluster',
    method: 'GET',
    path: '/v1/cluster',
    summary: 'The live view of the Kafka cluster: leaders, ISR, controllers.',
    access: 'read',
    answers: { 200: 'the latest snapshot' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'listKinds',
    method: 'GET',
    path: '/v1/kinds',
    summary: 'Fault kinds with their parameters (JSON Schema), examples and needs.',
    access: 'read',
    answers: { 200: '{ kinds: [...] }' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'createSchedule',
    method: 'POST',
    path: '/v1/schedules',
    summary: 'Draws a schedule from a scenario and a seed; executes nothing.',
    access: 'read',
    body: ScheduleRequest,
    answers: { 200: 'the schedule' },
    errors: { 422: REFUSED[422] },
    idempotent: true,
  },
  {
    name: 'createRun',
    method: 'POST',
    path: '/v1/runs',
    summary: 'Draws a schedule and executes it with its workload, to a verdict.',
    access: 'operate',
    body: RunRequest,
    answers: { 201: 'started; Location names it', 200: 'the same run was there already' },
    errors: REFUSED,
    idempotent: true,
  },
  {
    name: 'listRuns',
    method: 'GET',
    path: '/v1/runs',
    summary: 'Runs, newest first.',
    access: 'read',
    answers: { 200: '{ runs: [...] }' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'getRun',
    method: 'GET',
    path: '/v1/runs/{id}',
    summary: 'One run: phase, progress, faults, verdict.',
    access: 'read',
    pathParams: withId,
    answers: { 200: 'the run' },
    errors: NOT_FOUND,
    idempotent: true,
  },
  {
    name: 'runTimeline',
    method: 'GET',
    path: '/v1/runs/{id}/timeline',
    summary: 'What happened when: phases, faults, leadership, ISR, throughput (JSON lines).',
    access: 'read',
    pathParams: withId,
    answers: { 200: 'one entry a line' },
    errors: NOT_FOUND,
    idempotent: true,
    stream: 'application/jsonl',
  },
  {
    name: 'runHistory',
    method: 'GET',
    path: '/v1/runs/{id}/history',
    summary: 'The history of operations, faults among them (JSON lines).',
    access: 'read',
    pathParams: withId,
    answers: { 200: 'one operation a line' },
    errors: { ...NOT_FOUND, 409: 'the run has not come to its history yet' },
    idempotent: true,
    stream: 'application/jsonl',
  },
  {
    name: 'cancelRun',
    method: 'POST',
    path: '/v1/runs/{id}/cancel',
    summary: 'Ends a run early; everything it did heals.',
    access: 'operate',
    pathParams: withId,
    answers: { 202: 'cancelling', 200: 'it had ended already' },
    errors: NOT_FOUND,
    idempotent: true,
  },
  {
    name: 'resume',
    method: 'POST',
    path: '/v1/resume',
    summary: 'Allows new faults again after POST /v1/heal.',
    access: 'operate',
    answers: { 200: 'allowed' },
    errors: {},
    idempotent: true,
  },
];

export const AGENT_ROUTES: Route[] = [
  ...BOTH_ROUTES,
  ...faultRoutes(AgentFaultStatus),
  {
    name: 'createFault',
    method: 'POST',
    path: '/v1/faults',
    summary: 'Arms a fault on this node and fires it, or waits for fire (context.armOnly).',
    access: 'operate',
    query: DryRunQuery,
    body: AgentFaultRequest,
    answer: AgentFaultStatus,
    answers: { 201: 'accepted', 200: 'the same fault was there already, or a dry run' },
    errors: REFUSED,
    idempotent: true,
  },
  {
    name: 'listFaults',
    method: 'GET',
    path: '/v1/faults',
    summary: 'Faults of this node, tombstones included.',
    access: 'read',
    query: FaultsQuery,
    answer: Type.Object({ faults: Type.Array(AgentFaultStatus) }),
    answers: { 200: '{ faults: [...] }' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'fireFault',
    method: 'POST',
    path: '/v1/faults/{id}/fire',
    summary: "Fires an armed fault at an instant of this node's boot clock.",
    access: 'operate',
    pathParams: withId,
    body: FireRequest,
    answer: AgentFaultStatus,
    answers: { 202: 'it will fire', 200: 'it has fired already' },
    errors: { ...NOT_FOUND, 409: 'it is not armed' },
    idempotent: true,
  },
  {
    name: 'forgetFault',
    method: 'POST',
    path: '/v1/faults/{id}/forget',
    summary: 'The coordinator has recorded how it ended: the tombstone may go.',
    access: 'operate',
    pathParams: withId,
    body: Type.Object({ instance: Type.Integer({ minimum: 1 }) }, strict),
    answers: { 200: 'forgotten' },
    errors: { ...NOT_FOUND, 409: 'it has not ended' },
    idempotent: true,
  },
  {
    name: 'renewLeases',
    method: 'PUT',
    path: '/v1/leases',
    summary: 'Renews the leases of the named faults of an owner; its others heal.',
    access: 'operate',
    body: LeaseRequest,
    answer: Type.Object({ renewed: Type.Array(Id), healing: Type.Array(Id) }),
    answers: { 200: '{ renewed: [...], healing: [...] }' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'clock',
    method: 'GET',
    path: '/v1/clock',
    summary: "This node's CLOCK_BOOTTIME, for the offset estimate (RFC 5905's exchange).",
    access: 'read',
    answer: Type.Object({ bootMs: Type.Number() }),
    answers: { 200: '{ bootMs }' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'capabilities',
    method: 'GET',
    path: '/v1/capabilities',
    summary: 'Every need of every kind: met or not, and why.',
    access: 'read',
    answers: { 200: '{ node, version, bootId, capabilities: [...], services: [...] }' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'processes',
    method: 'GET',
    path: '/v1/processes',
    summary: 'What the services of the configuration match on this node.',
    access: 'read',
    answers: { 200: '{ services: [...] }' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'link',
    method: 'GET',
    path: '/v1/link',
    summary: 'WebSocket of the coordinator: request and answer frames, and status events.',
    access: 'operate',
    answers: { 101: 'switching protocols' },
    errors: { 409: 'another node, cluster or version was expected' },
    idempotent: true,
  },
  {
    name: 'resume',
    method: 'POST',
    path: '/v1/resume',
    summary: 'Allows new faults again after POST /v1/heal.',
    access: 'operate',
    answers: { 200: 'allowed' },
    errors: {},
    idempotent: true,
  },
  {
    name: 'startWorkload',
    method: 'POST',
    path: '/v1/workloads',
    summary: 'Starts a workload on this node, in a process of its own that outlives the agent.',
    access: 'operate',
    body: Type.Object(
      { id: Id, kind: Type.String(), spec: Type.Record(Type.String(), Type.Unknown()) },
      strict,
    ),
    answers: { 201: 'started', 200: 'it was there already' },
    errors: REFUSED,
    idempotent: true,
  },
  {
    name: 'getWorkload',
    method: 'GET',
    path: '/v1/workloads/{id}',
    summary: 'Phase and counts of a workload.',
    access: 'read',
    pathParams: withId,
    answers: { 200: 'its status' },
    errors: NOT_FOUND,
    idempotent: true,
  },
  {
    name: 'commandWorkload',
    method: 'POST',
    path: '/v1/workloads/{id}/{command}',
    summary: 'stop (the load), finalRead, close.',
    access: 'operate',
    pathParams: Type.Object({ id: Id, command: Type.Enum(['stop', 'finalRead', 'close']) }, strict),
    answers: { 202: 'told' },
    errors: NOT_FOUND,
    idempotent: true,
  },
  {
    name: 'workloadFile',
    method: 'GET',
    path: '/v1/workloads/{id}/files/{file}',
    summary: 'The history or the series of a workload (JSON lines).',
    access: 'read',
    pathParams: Type.Object({ id: Id, file: Type.Enum(['history', 'series']) }, strict),
    answers: { 200: 'the file' },
    errors: NOT_FOUND,
    idempotent: true,
    stream: 'application/jsonl',
  },
  {
    name: 'deleteWorkload',
    method: 'DELETE',
    path: '/v1/workloads/{id}',
    summary: 'Ends a workload and deletes its files.',
    access: 'operate',
    pathParams: withId,
    answers: { 200: 'gone' },
    errors: NOT_FOUND,
    idempotent: true,
  },
];

/** RFC 9457 problem details, with every problem of a document. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail: string;
  problems?: {
    path: string;
    message: string;
    found?: string;
    expected?: string;
    nearMiss?: string;
  }[];
  /** The fault, run or node that stands in the way. */
  conflictsWith?: string;
}
