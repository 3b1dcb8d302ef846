import { Type, type Static } from 'typebox';
import { Duration, durationMs } from '../base/duration.ts';
import type { Problem } from '../base/problem.ts';
import { faultKind, type Facts, type Step } from '../model/fault.ts';
import { ProcessMatch } from '../model/process-match.ts';
import {
  allInState,
  areProblems,
  checkMatch,
  DEFAULT_MATCH,
  foundProcesses,
  processClaims,
  processQueries,
  refsOf,
  selectProcesses,
  serviceFact,
} from '../model/process-selection.ts';

const Params = Type.Object(
  {
    process: Type.Optional(ProcessMatch),
    signal: Type.Optional(
      Type.Enum(['SIGKILL', 'SIGTERM'], { description: "default 'SIGKILL', a crash" }),
    ),
    restart: Type.Optional(
      Type.Union(
        [
          Type.Enum(['never', 'heal']),
          Type.Object({ after: Duration }, { additionalProperties: false }),
        ],
        {
          title: 'restart',
          description:
            "'never', 'heal' (when the fault ends) or {after: '5s'}; default 'heal' where the agent knows how to start the service",
        },
      ),
    ),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

/** A controlled shutdown moves leaders first and takes its time. */
const SEEN_WITHIN_MS = { SIGKILL: 2_000, SIGTERM: 60_000 } as const;

function matchOf(params: Params): ProcessMatch {
  return params.process ?? DEFAULT_MATCH;
}

function check(params: Params): Problem[] {
  const problems = checkMatch(params.process);
  const asked = params.restart !== undefined && params.restart !== 'never';
  if (asked && matchOf(params).service === undefined) {
    problems.push({
      path: '/restart',
      message: `only a 'service' of the agent's configuration can be started again`,
      expected: `'process.service', or restart 'never'`,
    });
  }
  return problems;
}

function plan(params: Params, facts: Facts): Step[] | Problem[] {
  const match = matchOf(params);
  const selected = selectProcesses(match, facts);
  const startable = serviceFact(facts)?.startable === true;
  const restart = params.restart ?? (startable ? 'heal' : 'never');
  if (restart !== 'never' && !startable) {
    const problem = {
      path: '/restart',
      message: `the agent's configuration does not say how to start service '${match.service}'`,
      expected: `'start' for that service in the agent's configuration, or restart 'never'`,
    };
    return [...(areProblems(selected) ? selected : []), problem];
  }
  if (areProblems(selected)) return selected;
  const processes = refsOf(selected);
  const signal = params.signal ?? 'SIGKILL';
  const service = match.service ?? '';
  const again = { act: 'service.start' as const, service };
  const kill: Step = {
    says: `${signal} to ${selected.map((one) => `pid ${one.process.pid}`).join(', ')}`,
    act: { act: 'process.signal', processes, signal },
    undo: restart === 'never' ? { irreversible: 'nobody starts it again' } : again,
  };
  if (typeof restart === 'string') return [kill];
  const start: Step = {
    says: `start '${service}' again after ${restart.after}`,
    act: again,
    undo: { irreversible: 'it stays started' },
    afterMs: durationMs(restart.after),
  };
  return [kill, start];
}

/** A process ends by a signal, and comes back when and if the request says so. */
export const processKill = faultKind({
  kind: 'process.kill',
  summary: 'Kills a process, by default the broker; starts it again when healed.',
  doc: `Sends SIGKILL (a crash) or SIGTERM (a controlled shutdown) through a pidfd to exactly the
processes that matched when the fault was armed; a process that took over their pid is never hit.

**Restart.** \`heal\` starts the service again when the fault ends, \`{after: '5s'}\` that long after
the signal (and at the latest when the fault ends), \`never\` leaves it dead: the fault then happens
once and takes no duration. Starting is whoever normally starts it: the command or systemd unit that
the agent's own configuration names for the service. Something that restarts the process by itself
(systemd's Restart=) is not held back. With \`every\`, a crash loop.

**What a Kafka user sees.** After SIGKILL connections to the broker are reset at once, its leaders are
elected elsewhere when the controller has missed it for \`broker.session.timeout.ms\`, and on its start
it recovers its logs. After SIGTERM leaders move first, and clients see NOT_LEADER_OR_FOLLOWER.

**What it does not do.** Nothing written to the page cache is lost: the kernel still has it (a power
cut is another kind). A SIGTERM that a process takes long to obey may outlast the fault: healing
starts the service only if it does not run.`,
  standing: true,
  stands: (params) =>
    params.restart === undefined
      ? matchOf(params).service !== undefined
      : params.restart !== 'never',
  namesNodes: false,
  colour: '#202124',
  params: Params,
  examples: [
    { title: 'crash the broker, start it again when healed', params: {} },
    { title: 'start it after five seconds', params: { restart: { after: '5s' } } },
    { title: 'controlled shutdown', params: { signal: 'SIGTERM', restart: 'heal' } },
    { title: 'crash and stay down', params: { restart: 'never' } },
    {
      title: 'any process, by parts of its arguments',
      params: { process: { argumentParts: ['kafka.Kafka'] }, restart: 'never' },
    },
  ],
  needs: [['process.pidfd', 'process.signal']],
  check,
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  observe: (params) => processQueries(matchOf(params)),
  plan: (params, _here, facts) => plan(params, facts),
  claims: (_params, _here, facts) => processClaims(facts),
  witness: (params, _here, facts) => ({
    sample: { query: 'processStates', processes: refsOf(foundProcesses(facts)) },
    probes: [],
    seen: (_before, now) => allInState(now, ['gone', 'Z', 'X']),
    withinMs: SEEN_WITHIN_MS[params.signal ?? 'SIGKILL'],
    says: 'the processes are gone',
  }),
  draw(random, topology) {
    const brokers = topology.nodes.filter((node) => node.roles.includes('broker'));
    const among = brokers.length > 0 ? brokers : topology.nodes;
    const signal = random.chance({ numerator: 3, denominator: 4 }) ? 'SIGKILL' : 'SIGTERM';
    const params: Params = { signal, restart: 'heal' };
    return { params, targets: random.pick(among).name };
  },
});
