import type { RoundTripParams } from '../../../core/workloads/bench/round-trip.ts';
import { steadyPace } from '../../../core/workloads/pace.ts';
import {
  payloadGenerator,
  type PayloadGenerator,
} from '../../../core/workloads/payload-generator.ts';
import { loadTopics } from '../../../core/workloads/topics-spec.ts';
import { ClientConf } from './client-conf.ts';
import { pause, type BenchContext, type BenchRun } from './context.ts';
import { logEnds } from './log-ends.ts';
import { placesOf } from './partitioner.ts';
import { PRODUCER_CONF, ProducerLoad, type LoadPlace } from './producer-load.ts';
import { groupReceiver, plainReceiver, type MakeReceiver } from './receiver.ts';
import { recordLoop } from './record-loop.ts';
import { haveTopics } from './topics.ts';
import { Tickets } from './tickets.ts';

const KEY_BYTES = 4;
const POLL_MS = 20;

/** See core/workloads/bench/round-trip.ts: over when every record was acknowledged and has come back. */
export const roundTrip: BenchRun = (given, context) =>
  travelOf(given as RoundTripParams, plainReceiver, context);

export const shareRoundTrip: BenchRun = (given, context) =>
  travelOf(given as RoundTripParams, groupReceiver, context);

async function travelOf(params: RoundTripParams, receiver: MakeReceiver, context: BenchContext) {
  const { bootstrapServers, commonClientConf, adminClientConf } = params;
  const topics = loadTopics(params.activeTopics);
  const active = topics.ok ? topics.value : [];
  const places = placesOf(active);
  const admin = new ClientConf(bootstrapServers, commonClientConf, adminClientConf);
  const connections = admin.connect('faultline-admin');
  try {
    await haveTopics(connections, active, context);
    if (context.signal.aborted) return undefined;
    // What an earlier load has left there is not read.
    const ends = await logEnds(connections, places, context.signal);
    return await travel(params, ends, receiver, context);
  } finally {
    connections.close();
  }
}

/** What can be told from the number of a record alone; with the time in it, it can't. */
function verifier({ valueGenerator }: RoundTripParams): PayloadGenerator | undefined {
  if (/timestamp/i.test(JSON.stringify(valueGenerator))) return undefined;
  return payloadGenerator(valueGenerator);
}

async function travel(
  params: RoundTripParams,
  places: (LoadPlace & { position: number })[],
  makeReceiver: MakeReceiver,
  context: BenchContext,
): Promise<string | undefined> {
  const { bootstrapServers, commonClientConf, producerConf } = params;
  const tickets = new Tickets(params.maxMessages, verifier(params));
  const receiver = await makeReceiver(params, places, tickets, context);
  const conf = new ClientConf(bootstrapServers, commonClientConf, producerConf, { acks: 'all' });
  conf.tellUnused(PRODUCER_CONF);
  const load = new ProducerLoad({
    connections: conf.connect('faultline-producer'),
    places,
    conf,
    onSettled: (batch, _place, acknowledged) => {
      if (acknowledged) tickets.acknowledge(batch.tags.length);
      else for (const tag of batch.tags) tickets.lose(tag);
    },
  });
  context.show(() => ({ totalUniqueSent: tickets.sent, totalReceived: tickets.received }));
  receiver.start();
  load.start();
  try {
    await sendAll(params, load, tickets, places.length, context);
    if (tickets.isDone || context.endedBy() === 'request') return tickets.damage;
    const troubles = `writing: ${load.troubles}; reading: ${receiver.troubles}`;
    return tickets.damage ?? `${tickets.missing} did not come back; ${troubles}`;
  } finally {
    load.close();
    await receiver.close();
  }
}

/** Sends every number once, and those again whose fate is not known, until all have come back. */
async function sendAll(
  params: RoundTripParams,
  load: ProducerLoad,
  tickets: Tickets,
  places: number,
  { signal }: BenchContext,
): Promise<void> {
  const pace = steadyPace(params.targetMessagesPerSec);
  const value = payloadGenerator(params.valueGenerator);
  const key = Buffer.alloc(KEY_BYTES);
  const send = (number: number, wallMs: number, nowMs: number): void => {
    key.writeUInt32LE(number);
    load.append(number % places, key, value(number, wallMs), wallMs, nowMs, number);
  };
  const loop = { load, pace, signal };
  await recordLoop({
    ...loop,
    most: params.maxMessages,
    make: (number, wallMs, nowMs) => {
      tickets.sent++;
      send(number, wallMs, nowMs);
    },
  });
  while (!tickets.isDone && tickets.damage === undefined && !signal.aborted) {
    const again = tickets.takeLost();
    const make = (index: number, wallMs: number, nowMs: number): void =>
      send(again[index] ?? 0, wallMs, nowMs);
    await recordLoop({ ...loop, most: again.length, make });
    await pause(POLL_MS, signal);
  }
}
