import { Type, type Static, type TProperties } from 'typebox';
import { checkSpecification } from '../../disk/check.ts';
import {
  KINDS,
  Match,
  When,
  type Effect,
  type KindName,
  type Match as Matched,
} from '../../disk/specification.ts';
import type { Problem } from '../../base/problem.ts';
import type { Random } from '../../base/random.ts';
import type { DiskEntry } from '../../model/act-disk.ts';
import type { Facts, FaultKind, Here, Step, Witness } from '../../model/fault.ts';
import { KERNEL_TIMEOUT_MS } from '../../model/fault-request.ts';
import type { NodeName, Topology } from '../../model/topology.ts';
import { takesOffline } from './log-directory.ts';
import { probeOf } from './probe.ts';
import { checkFiles, filesFields, matchOf, PRESETS, type FilesChosen } from './files.ts';
import { chooseMount, directoryField, mountsQuery } from './mount-choice.ts';

/** Long enough for a broker that is used at all to touch its disk. */
const SEEN_WITHIN_MS = 10_000;
/** The agent ends a fault on time; this is for when it can't. */
const DEADLINE_MARGIN_MS = 5_000;

/** The fields that all kinds of disk faults share. */
const commonFields = {
  directory: directoryField,
  ...filesFields,
  match: Type.Optional(Match),
  when: Type.Optional(When),
};
interface Common extends FilesChosen {
  directory?: string;
  match?: Matched;
  when?: Static<typeof When>;
}

export interface DiskKind {
  /** 'disk.' and the word by which the file system knows it. */
  kind: `disk.${KindName}`;
  summary: string;
  doc: string;
  colour: string;
  examples: { title: string; params: Record<string, unknown> }[];
  /** Parameters for a seed; the node is drawn here. */
  draw(random: Random): Record<string, unknown>;
}

/** Parameters that the schema has accepted. */
type Params = Common & Record<string, unknown>;

/** 'disk.error' is the file system's 'error'. */
function effectOf(kind: DiskKind['kind']): KindName {
  return kind.slice('disk.'.length) as KindName;
}

function entryOf(kind: DiskKind['kind'], params: Params): DiskEntry {
  const { directory: _, preset: __, topicPartitions: ___, match: given, when, ...fields } = params;
  const match = matchOf(params, given);
  return {
    ...(Object.keys(match).length === 0 ? {} : { match }),
    ...(when === undefined ? {} : { when }),
    fault: { kind: effectOf(kind), ...fields },
  };
}

/** What the file system would refuse, seen from the parameters. */
function check(kind: DiskKind['kind'], params: Params): Problem[] {
  const files = checkFiles(params, params.match);
  if (files.length > 0) return files;
  const checked = checkSpecification({
    version: 1,
    faults: [{ id: 'checked', ...entryOf(kind, params) }],
  });
  if (checked.ok) return [];
  return checked.problems.map((problem) => ({
    ...problem,
    path: problem.path.replace(/^\/faults\/0(\/fault)?/, ''),
  }));
}

function saysOf(params: Common): string {
  const { preset, topicPartitions, match } = params;
  const whose = topicPartitions === undefined ? '' : ` of ${topicPartitions.join(', ')}`;
  if (preset !== undefined) return `${PRESETS[preset].says}${whose}`;
  return match?.path === undefined ? 'any file' : match.path.join(', ');
}

function plan(
  kind: DiskKind['kind'],
  params: Params,
  here: Here,
  facts: Facts,
): Step[] | Problem[] {
  const mount = chooseMount(params.directory, facts);
  if ('message' in mount) return [mount];
  const { mountPoint } = mount;
  const { token, faultId, durationMs } = here;
  const deadline = durationMs === undefined ? {} : { deadlineMs: durationMs + DEADLINE_MARGIN_MS };
  return [
    {
      says: `${kind} at ${mountPoint}: ${saysOf(params)}`,
      act: {
        act: 'disk.fault',
        token,
        faultId,
        mountPoint,
        entry: entryOf(kind, params),
        seed: here.random.fork('file system').next(),
        leaseMs: KERNEL_TIMEOUT_MS,
        ...deadline,
      },
      undo: { act: 'disk.fault.remove', token, mountPoint },
      refresh: { act: 'disk.fault.renew', token, mountPoint, leaseMs: KERNEL_TIMEOUT_MS },
    },
  ];
}

/** The fields of an effect of the file system, but for its name, which the kind has. */
function fieldsOf(name: KindName): TProperties {
  const { kind: _, ...fields } = KINDS[name].properties as TProperties;
  return fields;
}

/** A broker, where there is one. */
export function drawBroker(random: Random, topology: Topology): NodeName {
  const brokers = topology.nodes.filter((node) => node.roles.includes('broker'));
  return random.pick(brokers.length > 0 ? brokers : topology.nodes).name;
}

/** A kind of fault that a file system of ours does to its files. */
export function diskKind(kind: DiskKind): FaultKind {
  const { draw, ...described } = kind;
  const fields = fieldsOf(effectOf(kind.kind));
  return {
    ...described,
    standing: true,
    namesNodes: false,
    params: Type.Object({ ...fields, ...commonFields }, { additionalProperties: false }),
    needs: [['disk.mount']],
    check: (params) => check(kind.kind, params as Params),
    targets: (_params, _topology, selected) => selected,
    actors: (_params, _topology, selected) => selected,
    takesLogDirectory(params) {
      const { preset, match } = params as Params;
      const { fault } = entryOf(kind.kind, params as Params);
      return takesOffline(fault as Effect, match, preset);
    },
    observe: (params) => [mountsQuery((params as Params).directory)],
    plan: (params, here, facts) => plan(kind.kind, params as Params, here, facts),
    claims: () => [],
    witness: (params, here, facts) => witness(kind.kind, params as Params, here, facts),
    draw: (random, topology) => ({ params: draw(random), targets: drawBroker(random, topology) }),
  };
}

function witness(kind: DiskKind['kind'], params: Params, here: Here, facts: Facts): Witness {
  const mount = chooseMount(params.directory, facts);
  if ('message' in mount) return { untestable: mount.message };
  const { token } = here;
  const { mountPoint } = mount;
  const { fault, match, when } = entryOf(kind, params);
  const disk = probeOf(fault as Effect, match ?? {}, when ?? {});
  return {
    sample: { query: 'diskFault', token, mountPoint },
    probes: disk === undefined ? [] : [{ disk, token, mountPoint }],
    // What has ended may be an earlier one of the same name.
    seen: (before, now) =>
      before.query === 'diskFault' &&
      now.query === 'diskFault' &&
      now.hits > (now.inForce ? 0 : before.hits),
    withinMs: SEEN_WITHIN_MS,
    patient: true,
    says: 'the file system has hit a request',
  };
}
