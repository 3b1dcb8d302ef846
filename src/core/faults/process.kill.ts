import { Type, type Static } from 'typebox';
import { faultKind } from '../model/fault.ts';
import { ProcessMatch } from '../model/process-match.ts';
import {
  allInState,
  foundProcesses,
  processClaims,
  processQueries,
  refsOf,
} from '../model/process-selection.ts';
import {
  checkKilling,
  killingStands,
  matchOf,
  planKill,
  restartField,
} from './process/kill-plan.ts';

const Params = Type.Object(
  {
    process: Type.Optional(ProcessMatch),
    signal: Type.Optional(
      Type.Enum(['SIGKILL', 'SIGTERM'], { description: "default 'SIGKILL', a crash" }),
    ),
    restart: restartField,
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

/** A controlled shutdown moves leaders first and takes its time. */
const SEEN_WITHIN_MS = { SIGKILL: 2_000, SIGTERM: 60_000 } as const;

/** A process ends by a signal, and comes back when and if the request says so. */
export const processKill = faultKind({
  kind: 'process.kill',
  summary: 'Kills a process, by default the broker; starts it again when healed.',
  doc: `Sends SIGKILL (a crash) or SIGTERM (a controlled shutdown) through a pidfd to exactly the
processes that matched when the fault was armed; a process that took over their pid is never hit.

**Restart.** \`heal\` starts the service again when the fault ends, \`{after: '5s'}\` that long
after the signal (and at the latest when the fault ends), \`never\` leaves it dead: the fault then
happens once and takes no duration. Starting is whoever normally starts it: the command or systemd
unit that the agent's own configuration names for the service. Something that restarts the process
by itself (systemd's Restart=) is not held back. With \`every\`, a crash loop.

**What a Kafka user sees.** After SIGKILL connections to the broker are reset at once, its leaders
are elected elsewhere when the controller has missed it for \`broker.session.timeout.ms\`, and on
its start it recovers its logs. After SIGTERM leaders move first, and clients see
NOT_LEADER_OR_FOLLOWER.

**What it does not do.** Nothing written to the page cache is lost: the kernel still has it (that is
\`disk.powercut\`). A SIGTERM that a process takes long to obey may outlast the fault: the
start that follows kills what has not ended by then. Give the fault the time a shutdown takes.`,
  standing: true,
  stands: killingStands,
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
  check: checkKilling,
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  observe: (params) => processQueries(matchOf(params)),
  plan(params, here, facts) {
    const planned = planKill(params, params.signal ?? 'SIGKILL', here, facts);
    if (Array.isArray(planned)) return planned;
    return planned.start ? [planned.kill, planned.start] : [planned.kill];
  },
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
