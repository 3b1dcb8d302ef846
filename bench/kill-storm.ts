import { parseArgs } from 'node:util';
import { runStorm } from './storm/run.ts';

/**
 * `bench/kill-storm.ts [--rounds 100] [--seed 1] [--lanes 3] [--minutes M] [--only ROUND] [--network]
 * [--resume]`: faults (with --network also resets, DNS, Kafka requests and every fault of packets) under
 * random SIGKILL and SIGSTOP of agents, guards and the coordinator. Whoever lives must bring the machine back
 * to its baseline within lease + 2 s; with nobody left the kernel does, and the next start. Many rounds can
 * be played in pieces: with --minutes no round begins after so long, and the same command with --resume goes
 * on. Exit code 1: a promise was broken; the lines say which, and how to repeat it.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '3' },
    expiries: { type: 'string' },
    minutes: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string' },
    network: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
  },
});
const summary = await runStorm({
  rounds: Number(values.rounds),
  seed: values.seed,
  lanes: Number(values.lanes),
  draw: values.network ? 'all' : 'few',
  ...(values.expiries === undefined ? {} : { expiries: Number(values.expiries) }),
  ...(values.minutes === undefined ? {} : { forMs: Number(values.minutes) * 60_000 }),
  ...(values.only === undefined ? {} : { only: Number(values.only) }),
  ...(values.out === undefined ? {} : { out: values.out }),
  resume: values.resume,
  say: (line) => console.error(line),
});
console.log(values.json ? JSON.stringify(summary) : JSON.stringify(summary, undefined, 2));
process.exitCode = summary.violations.length === 0 ? 0 : 1;
