import type { TestNetwork, TestNode } from './netns.ts';

/** Round trips by the clock of ping(8) itself, in ms. Those that were lost are missing. */
export function pingMs(
  network: TestNetwork,
  from: TestNode,
  address: string,
  count: number,
): number[] {
  const said = network.run(from, ['ping', '-n', '-c', `${count}`, '-i', '0.2', address]);
  return [...said.matchAll(/ time=([0-9.]+) ms/g)].map(([, ms]) => Number(ms));
}
