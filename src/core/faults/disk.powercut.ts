import { Type, type Static } from 'typebox';
import { NAME_MODELS } from '../disk/names.ts';
import { LOSSES } from '../disk/unsynced.ts';
import { faultKind, type Facts, type Here, type Step } from '../model/fault.ts';
import type { Problem } from '../base/problem.ts';
import { ProcessMatch } from '../model/process-match.ts';
import {
  foundProcesses,
  processClaims,
  processQueries,
  refsOf,
} from '../model/process-selection.ts';
import { drawBroker } from './disk/disk-kind.ts';
import { chooseCut, directoryField, mountsQuery } from './disk/mount-choice.ts';
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
    restart: restartField,
    directory: directoryField,
    loss: Type.Optional(
      Type.Enum([...LOSSES], { description: "how much of what was not fsynced; default 'all'" }),
    ),
    names: Type.Optional(
      Type.Enum([...NAME_MODELS], {
        description: "what an fsync makes durable of names; default 'journal' (ext4, XFS)",
      }),
    ),
  },
  { additionalProperties: false },
);
type Params = Static<typeof Params>;

/** Longer than a large log takes to be looked through. */
const SEEN_WITHIN_MS = 20_000;

function plan(params: Params, here: Here, facts: Facts): Step[] | Problem[] {
  const planned = planKill(params, 'SIGKILL', here, facts);
  const mounts = chooseCut(params.directory, facts);
  const problems = [planned, mounts].flatMap((each) =>
    Array.isArray(each) ? each.filter((one) => 'message' in one) : [],
  );
  if (problems.length > 0 || Array.isArray(planned)) return problems;
  const loss = params.loss ?? 'all';
  const cuts = mounts.flatMap((mount): Step[] => {
    if ('message' in mount) return [];
    const { mountPoint } = mount;
    return [
      {
        says: `lose what was not fsynced at ${mountPoint}: ${loss}`,
        act: {
          act: 'disk.powercut',
          token: here.token,
          mountPoint,
          loss,
          names: params.names ?? 'journal',
          seed: here.random.fork(mountPoint).next(),
          processes: refsOf(foundProcesses(facts)),
        },
        undo: { irreversible: 'what was lost is lost' },
      },
    ];
  });
  return [planned.kill, ...cuts, ...(planned.start ? [planned.start] : [])];
}

/** The power fails: the process is gone, and with it what no fsync had made durable. */
export const diskPowercut = faultKind({
  kind: 'disk.powercut',
  summary: 'Kills a process, by default the broker, and loses what it had not fsynced.',
  doc: `SIGKILL to exactly the processes that matched when the fault was armed, as \`process.kill\`
does; then every file system of ours on the node (or the one that holds \`directory\`) loses what
was written, created, renamed or removed and never made durable by an fsync. Then the service is
started again: \`restart\` is that of \`process.kill\`.

\`loss\` says how much: \`all\` of it; \`subset\`, each page by chance; \`torn\`, tails cut inside a
page; \`reordered\`, the length of the file but only some of its new pages. \`names\` says what an
fsync makes durable of names ([the guide](../../guides/disk.md#power-cut)).

**What a Kafka user sees.** Kafka does not fsync what it acknowledges; replicas are its durability.
One broker that loses power comes back with shorter logs, recovers, copies what it lacks from the
leader, and nothing is lost. All replicas at once, and records that were acknowledged with
\`acks=all\` are gone. In between it is a question of who becomes leader. Metadata of KRaft is
fsynced, and stays.

**What it does not do.** What was never fsynced is lost however old it is; a kernel would have
written it back after half a minute or so. The mount must have been made with \`--track\` (the lab's
are), and knows 256 MiB of unsynced changes at most; then everything is synced. Something that
restarts the process by itself (systemd's Restart=) must be off: it would write to a disk that is
losing.`,
  standing: true,
  stands: killingStands,
  namesNodes: false,
  colour: '#000000',
  params: Params,
  examples: [
    { title: 'the broker loses power, and comes back when healed', params: {} },
    {
      title: 'torn tails, back after five seconds',
      params: { loss: 'torn', restart: { after: '5s' } },
    },
    { title: 'it stays down', params: { loss: 'reordered', restart: 'never' } },
  ],
  needs: [['disk.mount', 'process.pidfd', 'process.signal']],
  check: checkKilling,
  targets: (_params, _topology, selected) => selected,
  actors: (_params, _topology, selected) => selected,
  observe: (params) => [...processQueries(matchOf(params)), mountsQuery(params.directory)],
  plan,
  claims: (_params, _here, facts) => processClaims(facts),
  witness(params, here, facts) {
    const count = chooseCut(params.directory, facts).length;
    return {
      sample: { query: 'diskPowerCut', token: here.token },
      probes: [],
      seen: (_before, now) => now.query === 'diskPowerCut' && now.mounts >= count,
      withinMs: SEEN_WITHIN_MS,
      says: 'the processes are gone, and the file system has lost what was not fsynced',
    };
  },
  draw: (random, topology) => ({
    params: { loss: random.pick(LOSSES), restart: 'heal' as const },
    targets: drawBroker(random, topology),
  }),
});
