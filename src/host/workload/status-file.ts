import { rename, writeFile } from 'node:fs/promises';
import { reasonOf } from '../../core/base/failure.ts';

/** status.json, replaced as a whole; one write after the other, so that the last one said is the last written. */
export class StatusFile {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  write(status: unknown): Promise<void> {
    const text = JSON.stringify(status);
    this.#writing = this.#writing.then(() => this.#replace(text));
    return this.#writing;
  }

  async #replace(text: string): Promise<void> {
    try {
      await writeFile(`${this.#path}.part`, text, { mode: 0o640 });
      await rename(`${this.#path}.part`, this.#path);
    } catch (error) {
      // A full disk: an old status and its updatedAtMs tell the reader that nothing is known.
      console.error(`status not written: ${reasonOf(error)}`);
    }
  }
}
