import { FAR, LOAD_SPECS, type Fields } from './load-specs.ts';

/** What is asked of Trogdor's daemons, the real ones and ours, in this order. */
export interface Exchange {
  /** Unique: recorded answers and listed differences are found by it. */
  name: string;
  method: string;
  /** {START} in path and body stands for the instant at which the sequence began, ms. */
  path: string;
  body?: string;
  /** Asked again until the answer matches. */
  until?: RegExp;
}

const NO_OP = 'org.apache.kafka.trogdor.task.NoOpTaskSpec';
const PARTITION = 'org.apache.kafka.trogdor.fault.NetworkPartitionFaultSpec';
const STOP = 'org.apache.kafka.trogdor.fault.ProcessStopFaultSpec';
const DEGRADED = 'org.apache.kafka.trogdor.fault.DegradedNetworkFaultSpec';
const FILES = 'org.apache.kafka.trogdor.fault.FilesUnreadableFaultSpec';

const json = (value: unknown): string => JSON.stringify(value);
const noOp = (fields: Fields = {}): Fields => ({
  class: NO_OP,
  startMs: 0,
  durationMs: 10_000_000,
  ...fields,
});

function create(name: string, body: unknown): Exchange {
  const text = typeof body === 'string' ? body : json(body);
  return { name, method: 'POST', path: '/coordinator/task/create', body: text };
}

const get = (name: string, path: string): Exchange => ({ name, method: 'GET', path });
const show = (name: string, id: string, until?: RegExp): Exchange => ({
  ...get(name, `/coordinator/tasks/${id}`),
  ...(until === undefined ? {} : { until }),
});
const stop = (name: string, body?: unknown): Exchange => ({
  name,
  method: 'PUT',
  path: '/coordinator/task/stop',
  ...(body === undefined ? {} : { body: json(body) }),
});
const destroy = (name: string, query: string): Exchange => ({
  name,
  method: 'DELETE',
  path: `/coordinator/tasks${query}`,
});

/** Pending tasks of every fault class: how a spec reads when it comes back, defaults and all. */
const SPECS: Record<string, Fields> = {
  'spec-no-op': noOp({ startMs: FAR }),
  'spec-no-op-bare': { class: NO_OP, startMs: FAR },
  'spec-partition': {
    class: PARTITION,
    startMs: FAR,
    durationMs: 30_000,
    partitions: [['n1'], ['n2']],
  },
  'spec-partition-flat': {
    class: PARTITION,
    startMs: FAR,
    durationMs: 1,
    partitions: ['n1', 'n2'],
  },
  'spec-stop': {
    class: STOP,
    startMs: FAR,
    durationMs: 1000,
    nodeNames: ['n1'],
    javaProcessName: 'kafka.Kafka',
  },
  'spec-stop-one': { class: STOP, startMs: FAR, nodeNames: 'n1', javaProcessName: 'kafka\\.Kafka' },
  'spec-degraded': {
    class: DEGRADED,
    startMs: FAR,
    durationMs: 1000,
    nodeSpecs: { n1: { networkDevice: 'eth0', latencyMs: 50 }, n2: { rateLimitKbit: 3000 } },
  },
  'spec-files': {
    class: FILES,
    startMs: FAR,
    durationMs: 1000,
    nodeNames: ['n1'],
    mountPath: '/mnt/kibosh',
    prefix: 'data',
    errorCode: 5,
  },
};

const specs = Object.entries({ ...SPECS, ...LOAD_SPECS }).flatMap(([id, spec]) => [
  create(`create ${id}`, { id, spec }),
  show(`show ${id}`, id),
]);

const refused: Exchange[] = [
  create('create: empty id', { id: '', spec: noOp() }),
  create('create: no id', { spec: noOp() }),
  create('create: no spec', { id: 'x' }),
  create('create: no body', ''),
  create('create: no JSON', '{"id":'),
  create('create: an array', '[]'),
  create('create: unknown field', { id: 'x', spec: noOp({ wrong: 1 }) }),
  create('create: unknown field beside', { id: 'x', spec: noOp(), wrong: 1 }),
  create('create: wrong type', { id: 'x', spec: noOp({ durationMs: 'long' }) }),
  create('create: a number as text', { id: 'as-text', spec: noOp({ startMs: `${FAR}` }) }),
  create('create: a fraction', { id: 'fraction', spec: noOp({ startMs: FAR + 0.5 }) }),
  create('create: unknown class', { id: 'x', spec: noOp({ class: 'org.example.NoSpec' }) }),
  create('create: no class', { id: 'x', spec: { startMs: 0, durationMs: 1 } }),
  create('create: negative duration', {
    id: 'negative',
    spec: noOp({ startMs: FAR, durationMs: -5 }),
  }),
  create(
    'create: comments',
    `/* a task */ {"id":"comments", // its name\n"spec":${json(noOp({ startMs: FAR }))}}`,
  ),
];

const lists: Exchange[] = [
  get('list: state', '/coordinator/tasks?state=RUNNING'),
  get('list: states one by one', '/coordinator/tasks/?state=DONE&taskId=first'),
  get('list: ids', '/coordinator/tasks?taskId=first&taskId=spec-no-op'),
  get('list: none of the ids', '/coordinator/tasks?taskId=nobody'),
  get('list: first start', `/coordinator/tasks?firstStartMs=${FAR}&taskId=first&taskId=spec-no-op`),
  get(
    'list: last start',
    `/coordinator/tasks?lastStartMs=${FAR - 1}&taskId=first&taskId=spec-no-op`,
  ),
  get('list: first end', '/coordinator/tasks?firstEndMs={START}&taskId=first&taskId=ends'),
  get('list: last end', `/coordinator/tasks?lastEndMs=${FAR}&taskId=first&taskId=ends`),
  get('list: bad state', '/coordinator/tasks?state=LAZY'),
  get('list: bad number', '/coordinator/tasks?firstStartMs=soon'),
];

/** Nodes n1 and n2 with agents. */
export const COORDINATOR_EXCHANGES: readonly Exchange[] = [
  get('status', '/coordinator/status'),
  get('uptime', '/coordinator/uptime'),
  get('list: empty', '/coordinator/tasks'),
  ...refused,
  ...specs,
  create('create: first', { id: 'first', spec: noOp() }),
  show('first runs', 'first', /"state":"RUNNING".*"n1":"active","n2":"active"/),
  create('create: the same again', { id: 'first', spec: noOp() }),
  create('create: the same id, another spec', { id: 'first', spec: noOp({ durationMs: 5 }) }),
  create('create: one that ends by itself', { id: 'ends', spec: noOp({ durationMs: 2000 }) }),
  show('it has ended', 'ends', /"state":"DONE"/),
  create('create: one that ended', { id: 'ends', spec: noOp({ durationMs: 2000 }) }),
  ...lists,
  show('show: unknown', 'nobody'),
  stop('stop: first', { id: 'first' }),
  show('first is done', 'first', /"state":"DONE"/),
  stop('stop: again', { id: 'first' }),
  stop('stop: pending', { id: 'spec-no-op' }),
  show('a pending one is done', 'spec-no-op', /"state":"DONE"/),
  stop('stop: unknown', { id: 'nobody' }),
  stop('stop: empty id', { id: '' }),
  stop('stop: no id', {}),
  stop('stop: no body'),
  create('create: no duration', { id: 'no-duration', spec: { class: NO_OP } }),
  show('no duration has expired', 'no-duration', /"state":"DONE"/),
  create('create: a node twice', {
    id: 'twice',
    spec: { class: PARTITION, durationMs: 1000, partitions: [['n1'], ['n1', 'n2']] },
  }),
  create('create: unknown node', {
    id: 'unknown-node',
    spec: { class: PARTITION, durationMs: 1000, partitions: [['n1'], ['n9']] },
  }),
  create('create: unknown nodes to stop', {
    id: 'unknown-stop',
    spec: { class: STOP, durationMs: 1000, nodeNames: ['n8', 'n9'], javaProcessName: 'x' },
  }),
  create('create: no nodes', { id: 'no-nodes', spec: { class: STOP, durationMs: 1000 } }),
  show('no nodes', 'no-nodes'),
  create('create: any id', { id: 'Täsk 1/2 ✓', spec: noOp({ startMs: FAR }) }),
  get('list: any id', '/coordinator/tasks?taskId=T%C3%A4sk%201%2F2%20%E2%9C%93'),
  destroy('destroy: first', '?taskId=first'),
  show('it is forgotten', 'first'),
  create('create: a forgotten id', { id: 'first', spec: noOp({ startMs: FAR, durationMs: 7 }) }),
  show('it is another one', 'first'),
  destroy('destroy: unknown', '?taskId=nobody'),
  destroy('destroy: no id', ''),
  { name: 'wrong method', method: 'GET', path: '/coordinator/task/create' },
  { name: 'wrong path', method: 'GET', path: '/coordinator/nothing' },
  { name: 'shutdown: no body', method: 'PUT', path: '/coordinator/shutdown' },
  {
    name: 'shutdown',
    method: 'PUT',
    path: '/coordinator/shutdown',
    body: json({ stopAgents: false }),
  },
];

const worker = (name: string, body: string): Exchange => ({
  name,
  method: 'POST',
  path: '/agent/worker/create',
  body,
});
const status = (name: string, until?: RegExp): Exchange => ({
  ...get(name, '/agent/status'),
  ...(until === undefined ? {} : { until }),
});
const stopWorker = (name: string, body?: string): Exchange => ({
  name,
  method: 'PUT',
  path: '/agent/worker/stop',
  ...(body === undefined ? {} : { body }),
});
const destroyWorker = (name: string, query: string): Exchange => ({
  name,
  method: 'DELETE',
  path: `/agent/worker${query}`,
});

/** More than a double can hold: 2^53 is 9007199254740992. */
const ID = '9223372036854775807';
const NEAR = '9223372036854775806';
const SPEC = json(noOp()).replace('"startMs":0', '"startMs":{START}');
const OTHER = SPEC.replace('10000000', '20000000');

/** The agent of n1. */
export const AGENT_EXCHANGES: readonly Exchange[] = [
  status('status: empty'),
  get('uptime', '/agent/uptime'),
  worker('create', `{"workerId":${ID},"taskId":"t1","spec":${SPEC}}`),
  status('it runs', /"state":"RUNNING"/),
  worker('create: the same again', `{"workerId":${ID},"taskId":"t1","spec":${SPEC}}`),
  worker('create: another task', `{"workerId":${ID},"taskId":"t2","spec":${SPEC}}`),
  worker('create: another spec', `{"workerId":${ID},"taskId":"t1","spec":${OTHER}}`),
  stopWorker('stop: its neighbour', `{"workerId":${NEAR}}`),
  status('its neighbour is another one'),
  stopWorker('stop', `{"workerId":${ID}}`),
  status('it is done', /"state":"DONE"/),
  stopWorker('stop: again', `{"workerId":${ID}}`),
  destroyWorker('destroy: unknown', `?workerId=${NEAR}`),
  destroyWorker('destroy', `?workerId=${ID}`),
  status('it is forgotten'),
  worker('create: no id', `{"taskId":"t1","spec":${SPEC}}`),
  stopWorker('stop: the worker without an id', '{"workerId":0}'),
  destroyWorker('destroy: the worker without an id', '?workerId=0'),
  worker('create: no task', `{"workerId":7,"spec":${SPEC}}`),
  worker('create: no spec', '{"workerId":8,"taskId":"t8"}'),
  worker('create: no JSON', '{"workerId":'),
  worker('create: no body', ''),
  worker('create: id as text', `{"workerId":"${NEAR}","taskId":"t3","spec":${SPEC}}`),
  worker('create: id too large', `{"workerId":9223372036854775808,"taskId":"t4","spec":${SPEC}}`),
  worker(
    'create: unknown class',
    '{"workerId":9,"taskId":"t9","spec":{"class":"org.example.NoSpec"}}',
  ),
  worker(
    'create: expired',
    `{"workerId":10,"taskId":"t10","spec":{"class":"${NO_OP}","startMs":1,"durationMs":1}}`,
  ),
  destroyWorker('destroy: expired', '?workerId=10'),
  destroyWorker('destroy: id as text', `?workerId=${NEAR}`),
  destroyWorker('destroy: no task', '?workerId=7'),
  destroyWorker('destroy: no id', ''),
  destroyWorker('destroy: no number', '?workerId=one'),
  stopWorker('stop: no id', '{}'),
  stopWorker('stop: no body'),
  status('status: at the end'),
  { name: 'wrong method', method: 'GET', path: '/agent/worker/create' },
  { name: 'wrong path', method: 'GET', path: '/agent/nothing' },
  { name: 'shutdown', method: 'PUT', path: '/agent/shutdown' },
];
