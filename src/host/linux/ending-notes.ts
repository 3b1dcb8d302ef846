import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * That processes were told to end, for whoever heals and cannot know: an undo also runs for acts that
 * were never performed. One empty file a fault, in the directory of ours that no reboot survives.
 */
export class EndingNotes {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  leave(note: string): void {
    writeFileSync(this.#path(note), '', { mode: 0o600 });
  }

  found(note: string): boolean {
    return existsSync(this.#path(note));
  }

  remove(note: string): void {
    rmSync(this.#path(note), { force: true });
  }

  /** A token holds neither slashes nor dots. */
  #path(note: string): string {
    return join(this.#directory, `ending-${note}`);
  }
}
