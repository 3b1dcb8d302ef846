/**
 * A pretended `tc` (recorded-tc.ts DIRECTORY ARGUMENTS...), for kernels that lack netem: it keeps a
 * device's qdiscs in DIRECTORY/qdiscs.json as tc 6.1 lists them, notes every command in
 * DIRECTORY/log, and refuses what the kernel would refuse, in its words.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Qdisc {
  kind: string;
  handle: string;
  dev: string;
  root?: boolean;
  parent?: string;
  options: object;
}

interface Kept {
  qdiscs: Qdisc[];
  /** By device and class. */
  classes: string[];
  /** What the kernel makes by itself. */
  standard: Qdisc[];
}

const [directory = '', ...args] = process.argv.slice(2);
const file = join(directory, 'qdiscs.json');
const kept = JSON.parse(readFileSync(file, 'utf8')) as Kept;

function refuse(words: string): never {
  process.stderr.write(`${words}\n`);
  process.exit(2);
}

const seconds = (text: string): number => Number.parseInt(text, 10) / 1e6;
const share = (text: string): number => Number.parseFloat(text) / 100;

/** As tc 6.1 prints what it was told. */
function netemOptions(words: string[]): object {
  const options: Record<string, unknown> = { limit: Number(words[1]) };
  const at = (word: string): string[] => {
    const found = words.indexOf(word);
    return found < 0 ? [] : words.slice(found + 1);
  };
  const [delay, jitter = ''] = at('delay');
  if (delay !== undefined) {
    const varies = jitter.endsWith('us');
    const correlation = varies && at('delay')[2]?.endsWith('%') ? share(at('delay')[2] ?? '') : 0;
    options['delay'] = { delay: seconds(delay), jitter: varies ? seconds(jitter) : 0, correlation };
  }
  const [loss] = at('random');
  if (loss !== undefined) options['loss-random'] = { loss: share(loss), correlation: 0 };
  for (const word of ['duplicate', 'corrupt']) {
    const [ratio] = at(word);
    if (ratio !== undefined) options[word] = { [word]: share(ratio), correlation: 0 };
  }
  return { ...options, ecn: false, gap: 0 };
}

function optionsOf(kind: string, words: string[]): object {
  if (kind === 'netem') return netemOptions(words);
  if (kind === 'bfifo') return { limit: Number(words[1]) };
  return { r2q: 10, default: '0', direct_packets_stat: 0, direct_qlen: 1000 };
}

function perform(line: string): void {
  const [what, how, , dev = '', ...rest] = line.split(' ');
  const ofDevice = (each: Qdisc): boolean => each.dev === dev;
  const tree = kept.qdiscs.find((each) => ofDevice(each) && each.root && each.handle === 'fa17:');
  switch (`${what} ${how}`) {
    case 'qdisc add': {
      if (tree) refuse('Error: Exclusivity flag on, cannot modify.');
      kept.qdiscs = kept.qdiscs.filter((each) => !ofDevice(each));
      const [, , handle = '', kind = ''] = rest;
      kept.qdiscs.push({ kind, handle, dev, root: true, options: optionsOf(kind, []) });
      return;
    }
    case 'class replace':
      if (!tree) refuse('Error: Parent Qdisc doesn’t exist.');
      kept.classes.push(`${dev} ${rest[3]}`);
      return;
    case 'qdisc replace': {
      const [, parent = '', , handle = '', kind = '', ...words] = rest;
      if (!kept.classes.includes(`${dev} ${parent}`))
        refuse('Error: Failed to find specified qdisc.');
      kept.qdiscs = kept.qdiscs.filter((each) => !ofDevice(each) || each.parent !== parent);
      kept.qdiscs.push({ kind, handle, dev, parent, options: optionsOf(kind, words) });
      return;
    }
    case 'class del': {
      const id = rest[1] ?? '';
      if (!kept.classes.includes(`${dev} ${id}`))
        refuse('RTNETLINK answers: No such file or directory');
      kept.classes = kept.classes.filter((each) => each !== `${dev} ${id}`);
      kept.qdiscs = kept.qdiscs.filter((each) => !ofDevice(each) || each.parent !== id);
      return;
    }
    case 'qdisc del':
      if (!tree) refuse('Error: Invalid handle.');
      kept.qdiscs = [...kept.qdiscs.filter((each) => !ofDevice(each)), ...kept.standard];
      kept.classes = kept.classes.filter((each) => !each.startsWith(`${dev} `));
      return;
    default:
      refuse(`Object "${line}" is unknown, try "tc help".`);
  }
}

if (args.join(' ') === '-j qdisc show') console.log(JSON.stringify(kept.qdiscs));
else if (args[0] === '-batch') {
  const commands = readFileSync(args[1] === '-' ? 0 : (args[1] ?? ''), 'utf8');
  for (const line of commands.trim().split('\n')) {
    appendFileSync(join(directory, 'log'), `${line}\n`);
    perform(line);
    writeFileSync(file, JSON.stringify(kept));
  }
} else refuse(`What is "${args.join(' ')}"?`);
