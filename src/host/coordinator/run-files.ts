import { createReadStream, createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { appendFile, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  faultEntries,
  parseHistoryLine,
  type FaultEntry,
  type FaultInterval,
} from '../../core/model/history.ts';
import type { TimelineEntry } from '../../core/model/run.ts';

/** The files of one run, in a folder of its own in the coordinator's state directory. */
export class RunFiles {
  readonly directory: string;
  #appending: Promise<void> = Promise.resolve();
  /** The last line may have been cut short, by a disk that was full or a coordinator that was killed. */
  #isTorn = true;

  /** @param run an Id, so that it cannot leave the folder. */
  constructor(stateDirectory: string, run: string) {
    this.directory = join(stateDirectory, 'runs', run);
    mkdirSync(this.directory, { recursive: true, mode: 0o750 });
  }

  get timeline(): string {
    return join(this.directory, 'timeline.jsonl');
  }

  /** The history with the faults in it; there once the run has been judged. */
  get history(): string {
    return join(this.directory, 'history.jsonl');
  }

  get fetched(): string {
    return join(this.directory, 'history.fetched.jsonl');
  }

  /**
   * Adds entries to the timeline, one line each, in the order of the calls.
   * @throws what the file system says; later ones are written all the same.
   */
  note(...entries: TimelineEntry[]): Promise<void> {
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    const noted = this.#appending.then(() => this.#append(text));
    // Whoever called is told.
    this.#appending = noted.catch(() => undefined);
    return noted;
  }

  async #append(text: string): Promise<void> {
    const begins = this.#isTorn && existsSync(this.timeline) ? '\n' : '';
    this.#isTorn = true;
    await appendFile(this.timeline, `${begins}${text}`, { mode: 0o640 });
    this.#isTorn = false;
  }

  async *entries(): AsyncGenerator {
    await this.#appending;
    if (!existsSync(this.timeline)) return;
    for (const line of (await readFile(this.timeline, 'utf8')).split('\n')) {
      // A coordinator that was killed while it wrote leaves one torn line.
      const entry = parsed(line);
      if (entry !== undefined) yield entry;
    }
  }

  /** Keeps a stream as a file, whole or not at all. */
  async keep(stream: Readable, path: string): Promise<void> {
    await pipeline(stream, createWriteStream(`${path}.part`, { mode: 0o640 }));
    await rename(`${path}.part`, path);
  }

  /** Puts the faults into the fetched history, by time, and makes it the history of the run. */
  async mergeFaults(faults: readonly FaultInterval[], offsetMs: number): Promise<void> {
    const merged = mergedLines(this.fetched, faults, offsetMs);
    await pipeline(merged, createWriteStream(`${this.history}.part`, { mode: 0o640 }));
    await rename(`${this.history}.part`, this.history);
  }
}

function parsed(line: string): unknown {
  if (line === '') return undefined;
  try {
    return JSON.parse(line);
  } catch {
    // Torn by a crash: what it said is lost, and only a sample of many.
    return undefined;
  }
}

async function* mergedLines(
  path: string,
  faults: readonly FaultInterval[],
  offsetMs: number,
): AsyncGenerator<string> {
  let waiting: FaultEntry[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const entry = parseHistoryLine(line);
    if (entry?.type === 'header') {
      waiting = faultEntries(entry, faults, offsetMs);
    } else if (entry !== undefined && waiting.length > 0) {
      while (waiting[0] !== undefined && waiting[0].timeNs <= entry.timeNs) {
        yield `${JSON.stringify(waiting.shift())}\n`;
      }
    }
    yield `${line}\n`;
  }
  for (const entry of waiting) yield `${JSON.stringify(entry)}\n`;
}
