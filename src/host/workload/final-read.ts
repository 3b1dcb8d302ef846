import { reasonOf } from '../../core/base/failure.ts';
import type { LogSettings } from '../../core/workloads/log.ts';
import type { RunMark } from '../../core/workloads/payload.ts';
import type { ClusterConnections } from '../kafka/cluster-connections.ts';
import { Reader, type ReadPlace } from '../kafka/reader.ts';
import { pollObserver } from './poll-observer.ts';
import type { Recorder } from './recorder.ts';

export interface FinalReadJob {
  connections: ClusterConnections;
  recorder: Recorder;
  process: number;
  settings: LogSettings;
  run: RunMark;
  /** Where the log stood before the run, by topic-partition. */
  base: readonly number[];
  progress(done: number, rows: number): void;
  errors(of: ReadonlyMap<string, number>): void;
}

interface Goal {
  place: ReadPlace;
  start: number;
  end: number;
  error?: string;
}

/**
 * Reads every topic-partition from the log start (or where it stood before the run) to the end it has
 * when the read begins, and says of each whether it came there.
 * @returns whether all did, within finalReadTimeout.
 */
export async function finalRead(job: FinalReadJob): Promise<boolean> {
  const { settings, recorder, process } = job;
  const deadlineMs = performance.now() + settings.finalReadTimeoutMs;
  let rows = 0;
  const observer = pollObserver(recorder, process, job.run, true, (more) => {
    rows += more;
  });
  const places = job.base.map((position, topicPartition) => ({
    topic: settings.topic,
    topicPartition,
    position,
  }));
  const polling = { minBytes: 1, maxWaitMs: 200, backoffMs: 100 };
  const readCommitted = settings.isolation === 'read_committed';
  const reader = new Reader(job.connections, places, { readCommitted, ...polling }, observer);
  for (const place of reader.places) place.until = 0;
  reader.start();
  const goals = await Promise.all(reader.places.map((place) => aim(reader, place, deadlineMs)));
  const positions = goals.map(({ place, start }) => ({
    topic: 0,
    topicPartition: place.topicPartition,
    offset: start,
  }));
  recorder.add({ type: 'ok', process, f: 'assign', positions });
  for (const { place, start, end, error } of goals) {
    if (error !== undefined) continue;
    place.position = start;
    place.until = end;
  }
  while (performance.now() < deadlineMs) {
    const done = goals.filter(reached).length;
    job.progress(done, rows);
    if (goals.every((goal) => reached(goal) || goal.error !== undefined)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await reader.close();
  job.errors(reader.errors);
  for (const goal of goals) conclude(job, goal);
  job.progress(goals.filter(reached).length, rows);
  return goals.every(reached);
}

async function aim(reader: Reader, place: ReadPlace, deadlineMs: number): Promise<Goal> {
  const base = place.position;
  try {
    const { start, end } = await reader.range(place, deadlineMs);
    return { place, start: Math.max(start, base), end };
  } catch (error) {
    // Not a crash of the workload: this topic-partition could not be read, and the history says so.
    return { place, start: base, end: base, error: reasonOf(error) };
  }
}

function reached({ place, end, error }: Goal): boolean {
  return error === undefined && place.position >= end;
}

function conclude(job: FinalReadJob, goal: Goal): void {
  const { place, start, end } = goal;
  const type = reached(goal) ? 'ok' : 'info';
  const entry = {
    type,
    process: job.process,
    f: 'finalRead',
    topic: 0,
    topicPartition: place.topicPartition,
    from: start,
    to: end,
    reached: place.position,
  } as const;
  const { stuck } = place;
  const why = stuck?.position === place.position ? `: batch there: ${stuck.why}` : '';
  const error = goal.error ?? (type === 'ok' ? undefined : `not reached in time${why}`);
  job.recorder.add(error === undefined ? entry : { ...entry, error });
}
