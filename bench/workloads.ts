import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ClusterConnections, parseBootstrap } from '../src/host/kafka/cluster-connections.ts';
import { takeDown } from '../src/host/lab/down.ts';
import { bringUp } from '../src/host/lab/up.ts';
import { ROOT } from '../test/support/needs.ts';
import { floors } from './workloads/floor.ts';
import { RIVALS, roundOf, type Rival, type Round } from './workloads/round.ts';

/**
 * `bench/workloads.ts [--turns 2] [--only RIVAL] [--json]`: the loads of Trogdor's protocol by the agent of
 * its own jar and by ours, in turn, each a task of its own (`--exec`) on the same broker: records a second
 * as the broker sees them, CPU a record with the start of the process, latencies as the status says, memory.
 */
const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '2' },
    only: { type: 'string' },
    json: { type: 'boolean' },
    resume: { type: 'boolean' },
  },
});

const PRODUCE = 'org.apache.kafka.trogdor.workload.ProduceBenchSpec';
const TRIP = 'org.apache.kafka.trogdor.workload.RoundTripWorkloadSpec';
/** Java's defaults of 4.1, said to both. */
const CONF = { acks: 'all', 'batch.size': '16384', 'linger.ms': '5', 'buffer.memory': '33554432' };

/** As fast as it goes; at a rate that both can hold, for the latencies; and there and back again. */
const SETTINGS = {
  'produce, unlimited': { class: PRODUCE, targetMessagesPerSec: 5_000_000, maxMessages: 600_000 },
  'produce, 20 000/s': { class: PRODUCE, targetMessagesPerSec: 20_000, maxMessages: 160_000 },
  'round trip, unlimited': { class: TRIP, targetMessagesPerSec: 5_000_000, maxMessages: 300_000 },
} as const;
type Setting = keyof typeof SETTINGS;

interface Row extends Round {
  setting: Setting;
  rival: Rival;
  load: number;
}

const say = (line: string): void => console.error(line);
const lab = `bench-workloads-${process.pid}`;

async function round(
  bootstrap: string,
  setting: Setting,
  rival: Rival,
  turn: number,
): Promise<Row> {
  const topic = `${rival}-${setting.replaceAll(/[^a-z0-9]+/g, '-')}-${turn}`;
  const { class: name, ...fields } = SETTINGS[setting];
  const node = name === PRODUCE ? 'producerNode' : 'clientNode';
  const spec = {
    class: name,
    durationMs: 120_000,
    [node]: 'n1',
    bootstrapServers: bootstrap,
    producerConf: CONF,
    activeTopics: { [topic]: { numPartitions: 6, replicationFactor: 1 } },
    ...fields,
  };
  const connections = new ClusterConnections(parseBootstrap(bootstrap), {
    clientId: 'faultline-bench',
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    security: {},
  });
  try {
    const until = name === PRODUCE ? 'written' : 'done';
    const result = await roundOf(rival, spec, topic, connections, until);
    return { setting, rival, load: Math.round((loadavg()[0] ?? 0) * 10) / 10, ...result };
  } finally {
    connections.close();
  }
}

const idle = await floors();
for (const { program, residentMb, proportionalMb, distinctMb } of idle)
  say(
    `${program}: ${residentMb} MB resident, ${proportionalMb} proportional, ${distinctMb} distinct`,
  );
const rows: Row[] = [];
try {
  const { bootstrap } = await bringUp({
    brokers: 1,
    clients: 0,
    agents: false,
    coordinator: false,
    name: lab,
    root: ROOT,
    say: () => undefined,
  });
  for (let turn = 1; turn <= Number(values.turns); turn++)
    for (const setting of Object.keys(SETTINGS) as Setting[])
      // Whoever is first finds colder files: they take turns.
      for (const rival of turn % 2 === 0 ? RIVALS.toReversed() : RIVALS) {
        if (values.only !== undefined && values.only !== rival) continue;
        const row = await round(bootstrap, setting, rival, turn);
        rows.push(row);
        const { recordsPerSecond, cpuUsPerRecord, peakMb, status } = row;
        const p99 = status['p99LatencyMs'] ?? '';
        const speed = `${recordsPerSecond}/s ${cpuUsPerRecord.toFixed(1)} us`;
        const memory = `${peakMb} MB, ${row.proportionalMb} proportional, ${row.distinctMb} distinct`;
        say(`${setting} ${rival}: ${speed} ${memory} ${p99}`);
        say(`  ${JSON.stringify(row.peaksMb)}`);
      }
} finally {
  await takeDown(lab);
}
const found = { idle, rows };
const results = join(ROOT, 'bench', 'results');
mkdirSync(results, { recursive: true });
writeFileSync(join(results, 'workloads.json'), `${JSON.stringify(found, undefined, 1)}\n`);
if (values.json) console.log(JSON.stringify(found));
