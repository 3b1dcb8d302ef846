import type { RunMark } from '../../core/workloads/payload.ts';
import type { PollObserver } from '../kafka/reader.ts';
import { recordPoll, rowsOf } from './poll-record.ts';
import type { Recorder } from './recorder.ts';

/**
 * Writes what a reader sees into the history.
 * @param final its polls belong to the final read. @param counted called with the rows of each poll.
 */
export function pollObserver(
  recorder: Recorder,
  process: number,
  run: RunMark,
  final: boolean,
  counted: (rows: number) => void,
): PollObserver {
  const mark = final ? { final: true } : {};
  return {
    polled(polled) {
      const value = recordPoll(polled, 0, run);
      const startedNs = Number(polled.startedNs);
      recorder.add({ type: 'ok', process, f: 'poll', startedNs, ...mark, value });
      counted(rowsOf(value));
    },
    pollFailed({ topicPartition }, started, error) {
      const where = { topic: 0, topicPartition, error };
      const startedNs = Number(started);
      recorder.add({ type: 'fail', process, f: 'poll', startedNs, ...mark, ...where });
    },
    sought({ topicPartition }, from, to, why) {
      recorder.add({ type: 'ok', process, f: 'seek', topic: 0, topicPartition, from, to, why });
    },
  };
}
