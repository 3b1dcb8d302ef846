import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { parseHistoryLine, type HistoryEntry } from '../../core/model/history.ts';

const FLUSH_MS = 100;
const FLUSH_CHARACTERS = 256 * 1024;

/** Appends lines to a file, in order, written out ten times a second. */
export class LineFile {
  #handle: FileHandle;
  #lines: string[] = [];
  #characters = 0;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout;
  #closed = false;
  /** The first error of writing: from then on nothing more is written. */
  error: string | undefined;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS);
  }

  /** @throws Failure `file-not-opened` (it must not be there yet). */
  static async create(path: string): Promise<LineFile> {
    try {
      return new LineFile(await open(path, 'ax', 0o640));
    } catch (error) {
      const message = `${path} cannot be created: ${reasonOf(error)}`;
      throw new Failure('file-not-opened', message, { definite: true, cause: error });
    }
  }

  append(line: string): void {
    if (this.error !== undefined) return;
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#characters > FLUSH_CHARACTERS) void this.flush();
  }

  /** Hands everything to the kernel; errors are kept, not thrown. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#lines.length === 0 || this.error !== undefined) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#characters = 0;
    this.#writing = this.#handle.appendFile(text).then(
      () => undefined,
      (error: unknown) => {
        this.error = `the file cannot be written: ${reasonOf(error)}`;
      },
    );
    await this.#writing;
    this.#writing = undefined;
  }

  /** Writes out, syncs and closes; once. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await this.flush();
    try {
      await this.#handle.sync();
    } catch (error) {
      this.error ??= `the file cannot be synced: ${reasonOf(error)}`;
    }
    await this.#handle.close();
  }
}

/** Compresses a closed history with zstd and removes the plain file. @returns the new path. */
export async function compressHistory(path: string): Promise<string> {
  const target = `${path}.zst`;
  const part = `${target}.part`;
  await pipeline(createReadStream(path), createZstdCompress(), createWriteStream(part));
  await rename(part, target);
  await rm(path);
  return target;
}

/** The history of a workload directory, whether compressed yet or not; undefined: none. */
export function historyPath(directory: string): string | undefined {
  const plain = `${directory}/history.jsonl`;
  return [plain, `${plain}.zst`, `${plain}.gz`].find((path) => existsSync(path));
}

/** Bytes of a history as plain JSON lines, whatever its compression. */
export function openHistory(path: string): NodeJS.ReadableStream {
  const bytes = createReadStream(path, { highWaterMark: 1024 * 1024 });
  if (path.endsWith('.zst')) return forwardErrors(bytes, createZstdDecompress());
  if (path.endsWith('.gz')) return forwardErrors(bytes, createGunzip());
  return bytes;
}

function forwardErrors<T extends NodeJS.ReadWriteStream>(from: NodeJS.ReadableStream, to: T): T {
  from.on('error', (error) => to.emit('error', error));
  return from.pipe(to);
}

/**
 * The entries of a history, in order, in arrays of many. A torn last line is left out: that is what a
 * crash does. @throws Failure `history-damaged` for a line in the middle that is no entry.
 */
export async function* readHistory(path: string): AsyncGenerator<HistoryEntry[]> {
  let rest = '';
  let line = 0;
  const decoder = new TextDecoder();
  for await (const chunk of openHistory(path)) {
    const parts = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    const entries: HistoryEntry[] = [];
    for (const part of parts) {
      line++;
      const entry = parseHistoryLine(part);
      if (entry === undefined) {
        const message = `${path}, line ${line}: not an entry of a history`;
        throw new Failure('history-damaged', message, { definite: true });
      }
      entries.push(entry);
    }
    yield entries;
  }
  const last = rest === '' ? undefined : parseHistoryLine(rest);
  if (last !== undefined) yield [last];
}
