import { nearMiss } from '../base/near-miss.ts';
import { invalid, valid, type Checked, type Problem } from '../base/problem.ts';
import type { Selector } from './selector.ts';

const PICKS = ['one', 'minority', 'majority', 'all'] as const;
type Pick = (typeof PICKS)[number];
const FUNCTIONS = ['role', 'rack', 'leader', 'followers', 'isr', 'random'] as const;
const WORDS = ['controller.active', 'controller.quorum'] as const;
const ALL_WORDS = [...PICKS, ...FUNCTIONS, ...WORDS];
/** Brokers: what a bare pick word picks from. */
const BROKERS: Selector = { select: 'role', role: 'broker' };
const DEPTH_MAX = 32;

interface Token {
  text: string;
  at: number;
}

/** Ends the parsing of one expression; the problem is in the list already. */
class Stop extends Error {}

class Parser {
  readonly problems: Problem[] = [];
  readonly #tokens: Token[] = [];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    const pattern = /\s+|([A-Za-z0-9_][A-Za-z0-9._-]*|[()|&-])|(.)/gsu;
    for (const match of text.matchAll(pattern)) {
      if (match[1] !== undefined) this.#tokens.push({ text: match[1], at: match.index });
      if (match[2] !== undefined) {
        const hint = match[2] === ',' ? "; a union is written 'a | b'" : '';
        this.#report(match.index, `'${match[2]}' has no meaning in a selector${hint}`);
      }
    }
  }

  parse(): Selector | undefined {
    if (this.problems.length > 0) return undefined;
    try {
      const selector = this.#expression();
      const rest = this.#peek();
      if (rest !== undefined)
        this.#fail(rest.at, `'${rest.text}' is one word too many`, "'|', '&', '-' or the end");
      return selector;
    } catch (error) {
      if (error instanceof Stop) return undefined;
      throw error;
    }
  }

  #report(at: number, message: string, expected?: string): void {
    const problem: Problem = { path: '', message: `${message} (character ${at + 1})` };
    if (expected !== undefined) problem.expected = expected;
    this.problems.push(problem);
  }

  #fail(at: number, message: string, expected?: string): never {
    this.#report(at, message, expected);
    throw new Stop();
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #take(text: string): boolean {
    if (this.#peek()?.text !== text) return false;
    this.#next += 1;
    return true;
  }

  #end(): number {
    const last = this.#tokens.at(-1);
    return last === undefined ? 0 : last.at + last.text.length;
  }

  #need(text: string): void {
    const here = this.#peek();
    if (!this.#take(text)) this.#fail(here?.at ?? this.#end(), `'${text}' is missing`, `'${text}'`);
  }

  #expression(): Selector {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.#fail(0, `nested deeper than ${DEPTH_MAX}`);
    let left = this.#term();
    for (;;) {
      if (this.#take('|')) left = { select: 'union', left, right: this.#term() };
      else if (this.#take('-')) left = { select: 'difference', left, right: this.#term() };
      else break;
    }
    this.#depth -= 1;
    return left;
  }

  #term(): Selector {
    let left = this.#factor();
    while (this.#take('&')) left = { select: 'intersection', left, right: this.#factor() };
    return left;
  }

  #factor(): Selector {
    const token = this.#peek();
    if (token === undefined)
      return this.#fail(this.#end(), 'a selector is missing', 'a node name or a function');
    this.#next += 1;
    if (token.text === '(') {
      const inner = this.#expression();
      this.#need(')');
      return inner;
    }
    if (/^[|&)-]$/.test(token.text))
      return this.#fail(token.at, `'${token.text}' stands where a selector is expected`);
    if ((PICKS as readonly string[]).includes(token.text)) {
      return { select: 'pick', how: token.text as Pick, of: this.#of() };
    }
    if (token.text === 'controller.active') return { select: 'controller.active' };
    if (token.text === 'controller.quorum') return { select: 'controller.quorum' };
    return this.#peek()?.text === '(' ? this.#call(token) : { select: 'node', name: token.text };
  }

  #of(): Selector {
    if (!this.#take('of')) return BROKERS;
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.#fail(0, `nested deeper than ${DEPTH_MAX}`);
    const of = this.#factor();
    this.#depth -= 1;
    return of;
  }

  #call(token: Token): Selector {
    this.#need('(');
    const argument = this.#peek();
    if (argument === undefined || /^[()|&-]$/.test(argument.text))
      return this.#fail(argument?.at ?? this.#end(), `${token.text}() needs an argument`);
    this.#next += 1;
    this.#need(')');
    switch (token.text) {
      case 'role':
        return { select: 'role', role: argument.text };
      case 'rack':
        return { select: 'rack', rack: argument.text };
      case 'leader':
      case 'followers':
      case 'isr':
        return { select: token.text, ...this.#topicPartition(argument) };
      case 'random': {
        const count = /^[0-9]{1,4}$/.test(argument.text) ? Number(argument.text) : 0;
        if (count < 1) this.#fail(argument.at, `random(${argument.text})`, 'a number from 1');
        return { select: 'random', count, of: this.#of() };
      }
      default:
        return this.#unknown(token);
    }
  }

  #topicPartition(argument: Token): { topic: string; partition: number } {
    const match = /^(.+)-([0-9]{1,9})$/.exec(argument.text);
    if (!match)
      return this.#fail(
        argument.at,
        `'${argument.text}' is no topic-partition`,
        'the topic, a dash and the number, as orders-0',
      );
    return { topic: match[1] ?? '', partition: Number(match[2]) };
  }

  /** An unknown function is reported and parsing goes on, so that later ones are seen too. */
  #unknown(token: Token): Selector {
    const near = nearMiss(token.text, ALL_WORDS);
    this.#report(token.at, `no selector function is called '${token.text}'`);
    const problem = this.problems.at(-1);
    if (problem && near !== undefined) problem.nearMiss = near;
    else if (problem) problem.expected = FUNCTIONS.join(', ');
    return { select: 'node', name: token.text };
  }
}

/**
 * Reads a selector expression (grammar: selector.ts).
 * @returns the selector, or every problem found, paths relative to the expression.
 */
export function parseSelector(text: string): Checked<Selector> {
  const parser = new Parser(text);
  const selector = parser.parse();
  return selector !== undefined && parser.problems.length === 0
    ? valid(selector)
    : invalid(...parser.problems.map((problem) => ({ ...problem, found: text.slice(0, 120) })));
}

/** Whether what it names depends on the live state of the cluster, and not on the topology alone. */
export function isLive(selector: Selector): boolean {
  switch (selector.select) {
    case 'leader':
    case 'followers':
    case 'isr':
    case 'controller.active':
    case 'controller.quorum':
      return true;
    case 'pick':
    case 'random':
      return isLive(selector.of);
    case 'union':
    case 'intersection':
    case 'difference':
      return isLive(selector.left) || isLive(selector.right);
    case 'node':
    case 'role':
    case 'rack':
      return false;
  }
}
