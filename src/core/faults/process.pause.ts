import { Type, type Static } from 'typebox';
import { Duration, durationMs } from '../base/duration.ts';
import type { Problem } from '../base/problem.ts';
import { faultKind, type Facts, type Here, type Step } from '../model/fault.ts';
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
} from '../model/process-selection.ts';

const Params = Type.Object(
  {
    process: Type.Optional(ProcessMatch),
    duty: Type.Optional(
      Type.Object(
        { on: Duration, off: Duration },
        {
          additionalProperties: false,
          description:
            "stalls that come and go: stopped for 'on', running for 'off'; default: stopped",
        },
      ),
    ),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

/** Shorter stalls are lost in the scheduler's own delays. */
const DUTY_MIN_MS = 10;
/** Longer ones no timer of the agent's keeps, and no fault needs. */
const DUTY_MAX_MS = 86_400_000;

function matchOf(params: Params): ProcessMatch {
  return params.process ?? DEFAULT_MATCH;
}

function check(params: Params): Problem[] {
  const problems = checkMatch(params.process);
  for (const part of ['on', 'off'] as const) {
    const text = params.duty?.[part];
    const ms = text === undefined ? DUTY_MIN_MS : durationMs(text);
    if (ms >= DUTY_MIN_MS && ms <= DUTY_MAX_MS) continue;
    problems.push({
      path: `/duty/${part}`,
      message: `too ${ms < DUTY_MIN_MS ? 'short' : 'long'} to be kept`,
      found: text ?? '',
      expected: `from ${DUTY_MIN_MS}ms to 1d`,
    });
  }
  return problems;
}

function plan(params: Params, here: Here, facts: Facts): Step[] | Problem[] {
  const selected = selectProcesses(matchOf(params), facts);
  if (areProblems(selected)) return selected;
  const stopped = selected.filter((one) => one.state === 'T' || one.state === 't');
  if (stopped.length > 0) {
    // Healing would let run what somebody else has stopped.
    return stopped.map((one) => ({
      path: '/process',
      message: `pid ${one.process.pid} is stopped already, and not by this fault`,
    }));
  }
  const processes = refsOf(selected);
  const pids = selected.map((one) => `pid ${one.process.pid}`).join(', ');
  if (!params.duty) {
    return [
      {
        says: `stop ${pids}`,
        act: { act: 'process.signal', processes, signal: 'SIGSTOP' },
        undo: { act: 'process.signal', processes, signal: 'SIGCONT' },
      },
    ];
  }
  return [
    {
      says: `stall ${pids} for ${params.duty.on}, let it run for ${params.duty.off}, in turn`,
      act: {
        act: 'process.pulse',
        token: here.token,
        processes,
        onMs: durationMs(params.duty.on),
        offMs: durationMs(params.duty.off),
      },
      undo: { act: 'process.pulse.stop', token: here.token, processes },
    },
  ];
}

/** A process stands still, and then goes on as if nothing had been. */
export const processPause = faultKind({
  kind: 'process.pause',
  summary: 'Stops a process, by default the broker, and lets it go on when healed.',
  doc: `Sends SIGSTOP through a pidfd to exactly the processes that matched when the fault was armed,
and SIGCONT to the same ones when it ends. With \`duty\` it comes and goes, like long garbage
collections. A process that is stopped already is refused: healing would start what somebody else
has stopped.

**What a Kafka user sees.** The broker's connections stay open and nothing answers; requests time out
after \`request.timeout.ms\`. Longer than \`broker.session.timeout.ms\` and the controller fences the
broker and moves its leaders; when it goes on, it still believes for a moment that it leads, which is
where stale reads and zombie writes live. A client or a consumer paused longer than
\`max.poll.interval.ms\` or \`session.timeout.ms\` loses its topic-partitions.

**What it does not do.** The kernel goes on: it accepts connections and acknowledges bytes for a
stopped process until its buffers are full. Child processes are not stopped unless they match.`,
  standing: true,
  namesNodes: false,
  colour: '#f29900',
  params: Params,
  examples: [
    { title: 'stop the broker', params: {} },
    { title: 'stalls of 800 ms every second', params: { duty: { on: '800ms', off: '200ms' } } },
    { title: 'by its main class', params: { process: { mainClass: 'kafka.Kafka' } } },
  ],
  needs: [['process.pidfd', 'process.signal']],
  check,
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  observe: (params) => processQueries(matchOf(params)),
  plan,
  claims: (_params, _here, facts) => processClaims(facts),
  witness: (params, _here, facts) => ({
    sample: { query: 'processStates', processes: refsOf(foundProcesses(facts)) },
    probes: [],
    seen: (_before, now) => allInState(now, ['T', 't']),
    withinMs: 2_000 + (params.duty ? durationMs(params.duty.on) + durationMs(params.duty.off) : 0),
    says: 'the processes are in state T (stopped)',
  }),
  draw(random, topology) {
    const brokers = topology.nodes.filter((node) => node.roles.includes('broker'));
    const target = random.pick(brokers.length > 0 ? brokers : topology.nodes).name;
    if (random.chance({ numerator: 3, denominator: 4 })) return { params: {}, targets: target };
    const onMs = 100 * random.between(1, 20);
    const offMs = 100 * random.between(1, 10);
    return { params: { duty: { on: `${onMs}ms`, off: `${offMs}ms` } }, targets: target };
  },
});
