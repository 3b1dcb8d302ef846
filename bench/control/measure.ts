/**
 * Runs inside the coordinator's namespace: measures one rival and prints its rounds as JSON.
 * Arguments: rival, rounds, JSON of the place and the nodes.
 */
import { join } from 'node:path';
import { realFaultline, stubbedFaultline } from './faultline.ts';
import { realTrogdor, stubbedTrogdor, type TrogdorPlace } from './trogdor.ts';
import type { TestNode } from '../../test/support/netns.ts';
import type { Rival, Round } from './round.ts';

interface Setting {
  place: TrogdorPlace;
  nodes: TestNode[];
  stubs: number;
}

async function open(rival: string, setting: Setting): Promise<Rival> {
  if (rival === 'trogdor-real') return realTrogdor(setting.place, setting.nodes);
  if (rival === 'trogdor-stubs') return stubbedTrogdor(setting.place, setting.stubs);
  const directory = join(setting.place.directory, rival);
  if (rival === 'faultline-real') return realFaultline(directory, setting.nodes);
  if (rival === 'faultline-stubs') return stubbedFaultline(directory, setting.stubs);
  throw new Error(`no rival '${rival}'`);
}

const [rivalName = '', roundsText = '1', settingText = '{}'] = process.argv.slice(2);
const rival = await open(rivalName, JSON.parse(settingText) as Setting);
try {
  const rounds: Round[] = [];
  // As it is when the links are up, and again at the end: a fault may come at any time.
  const clockErrorsAtFirstMs = await rival.clockErrors?.();
  // The first round is a warm-up: class loading and first connections are no rival's fault.
  for (let index = 0; index <= Number(roundsText); index++) {
    const round = await rival.round(index);
    if (index > 0) rounds.push(round);
  }
  const clockErrorsMs = await rival.clockErrors?.();
  console.log(JSON.stringify({ name: rival.name, rounds, clockErrorsAtFirstMs, clockErrorsMs }));
} finally {
  await rival.close();
}
