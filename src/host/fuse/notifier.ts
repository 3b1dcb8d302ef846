import type { MessagePort } from 'node:worker_threads';
import {
  compileRules,
  matchesPath,
  touchesMetadata,
  touchesPages,
  type Rule,
} from '../../core/disk/rule.ts';
import type { Engine } from './engine.ts';
import { WORD } from './memory.ts';
import type { Moved, NoticeMessage, Pages, Report, Sweep } from './messages.ts';
import type { Notices } from './notices.ts';
import type { Name } from './name-table.ts';
import { ROOT } from './node-row.ts';
import { readPublished } from './published.ts';

const EPOCH_MINOR = 44;
const PAGE = 4096;

/** Makes the kernel forget, on behalf of all other threads, which must not wait for it themselves. */
export class Notifier {
  readonly #engine: Engine;
  readonly #notices: Notices;
  readonly #control: { postMessage(message: Report): void };

  constructor(engine: Engine, notices: Notices, control: { postMessage(message: Report): void }) {
    this.#engine = engine;
    this.#notices = notices;
    this.#control = control;
  }

  listen(port: MessagePort): void {
    port.on('message', (message: NoticeMessage) => {
      if (message.type === 'pages') this.#pages(message);
      else if (message.type === 'sweep') this.#sweep(message);
      else this.#moved(message);
    });
  }

  #moved({ node, isDirectory }: Moved): void {
    if (isDirectory) {
      this.#sweepRules(compileRules(readPublished(this.#engine.memory).published));
      return;
    }
    this.#notices.pages(node);
    const { table } = this.#engine;
    const parent = table.parentOf(node);
    if (parent !== 0) this.#notices.entry(parent, copyOf(table.nameOf(node)));
  }

  #pages(message: Pages): void {
    // Whole pages: the kernel drops none of which a part is meant.
    const from = Math.floor(message.offset / PAGE) * PAGE;
    const end = Math.ceil((message.offset + message.length) / PAGE) * PAGE;
    this.#notices.pages(message.node, from, message.length === 0 ? 0 : end - from);
    if (message.done === undefined) return;
    Atomics.add(message.done, 0, 1);
    Atomics.notify(message.done, 0);
  }

  /** Before a change of the rules is acknowledged: nothing cached may hide or outlive a fault. */
  #sweep(message: Sweep): void {
    const rules = [message.before, message.after].flatMap(compileRules);
    for (const { directory, name } of message.names) {
      this.#notices.entry(directory, Buffer.from(name, 'latin1'));
    }
    this.#sweepRules(rules);
    this.#control.postMessage({ type: 'swept', number: message.number });
  }

  #sweepRules(rules: readonly Rule[]): void {
    const pages = rules.filter(touchesPages);
    const metadata = rules.filter(touchesMetadata);
    if (metadata.length > 0 && this.#knowsEpochs()) {
      this.#notices.allEntries();
    }
    if (pages.length + metadata.length > 0) this.#sweepNodes(pages, metadata);
  }

  #knowsEpochs(): boolean {
    return Atomics.load(this.#engine.memory.words, WORD.minor) >= EPOCH_MINOR;
  }

  #sweepNodes(pages: readonly Rule[], metadata: readonly Rule[]): void {
    const { table } = this.#engine;
    const oneByOne = !this.#knowsEpochs();
    for (let node = ROOT; node < table.top(); node++) {
      if (!table.isLive(node)) continue;
      const path = table.pathOf(node);
      const takes = (rule: Rule): boolean =>
        path === undefined ? rule.paths.length === 0 : matchesPath(rule, path);
      if (pages.some(takes)) this.#notices.pages(node);
      if (!metadata.some(takes)) continue;
      this.#notices.attributes(node);
      const parent = table.parentOf(node);
      if (oneByOne && parent !== 0) this.#notices.entry(parent, copyOf(table.nameOf(node)));
    }
  }
}

function copyOf({ bytes, from, length }: Name): Uint8Array {
  return Buffer.from(bytes.subarray(from, from + length));
}
