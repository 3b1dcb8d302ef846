/** Where we answer otherwise than Trogdor does, on purpose. Each stands in the guide, word for word. */
export interface Difference {
  /** A row of the table in docs/guides/coming-from-trogdor.md begins with it. */
  says: string;
  /** Names of exchanges. */
  exchanges: readonly string[];
  /** Our status code, where that differs. */
  status?: number;
  /** Our body, where that differs and is no error. */
  body?: unknown;
}

const NO_TASK = { code: 404, message: '' };

export const COORDINATOR_DIFFERENCES: readonly Difference[] = [
  {
    says: "A client's mistake",
    status: 400,
    exchanges: [
      'create: no id',
      'create: no spec',
      'create: no body',
      'create: no JSON',
      'stop: no body',
      'list: bad number',
    ],
  },
  { says: 'A bad state to list', status: 400, exchanges: ['list: bad state'] },
  { says: 'A wrong method', status: 405, exchanges: ['wrong method'] },
  { says: 'A shutdown without a body', status: 200, body: {}, exchanges: ['shutdown: no body'] },
  {
    says: 'Unknown nodes, none, or one twice',
    status: 400,
    exchanges: [
      'create: a node twice',
      'create: unknown node',
      'create: unknown nodes to stop',
      'create: no nodes',
    ],
  },
  {
    says: 'Unknown nodes, none, or one twice',
    status: 404,
    body: NO_TASK,
    exchanges: ['no nodes'],
  },
  {
    says: 'An empty list of tasks',
    body: { tasks: {} },
    exchanges: [
      'list: empty',
      'list: none of the ids',
      'list: first start',
      'list: states one by one',
    ],
  },
];

export const AGENT_DIFFERENCES: readonly Difference[] = [
  {
    says: "A client's mistake",
    status: 400,
    exchanges: [
      'create: no spec',
      'create: no JSON',
      'create: no body',
      'destroy: no number',
      'stop: no body',
    ],
  },
  {
    says: 'A worker without its id or task',
    status: 400,
    exchanges: ['create: no id', 'create: no task', 'destroy: no id', 'stop: no id'],
  },
  { says: 'A wrong method', status: 405, exchanges: ['wrong method'] },
];
