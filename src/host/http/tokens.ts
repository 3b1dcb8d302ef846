import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../core/base/failure.ts';

export type TokenRole = 'read' | 'operate';

/** Who a request comes from: the token's name in the audit log, never the token itself. */
export interface Identity {
  name: string;
  role: TokenRole;
}

interface Token extends Identity {
  digest: Buffer;
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The tokens a daemon accepts. Only their SHA-256 is kept; comparison takes constant time. */
export class Tokens {
  readonly #tokens: Token[] = [];

  /** @param name for the audit log; a short fingerprint without it. */
  add(token: string, role: TokenRole, name?: string): this {
    const digest = digestOf(token);
    this.#tokens.push({ name: name ?? `token-${digest.toString('hex', 0, 4)}`, role, digest });
    return this;
  }

  get size(): number {
    return this.#tokens.length;
  }

  /** Whose token stands in an Authorization header (RFC 6750), or undefined. */
  identify(authorization: string | undefined): Identity | undefined {
    const match = /^Bearer +([!-~]{1,512}) *$/i.exec(authorization ?? '');
    if (!match) return undefined;
    const digest = digestOf(match[1] ?? '');
    let found: Identity | undefined;
    for (const token of this.#tokens) {
      // No early exit: the time taken says nothing about which token was close.
      if (timingSafeEqual(token.digest, digest)) found = { name: token.name, role: token.role };
    }
    return found;
  }
}

interface TokenLine {
  token: string;
  role: TokenRole;
  name: string | undefined;
}

function parseLines(text: string, path: string): TokenLine[] {
  const lines: TokenLine[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.trim().split(/\s+/);
    const [token, role = 'operate', name] = words;
    if (token === undefined || token === '' || token.startsWith('#')) continue;
    if ((role !== 'read' && role !== 'operate') || words.length > 3 || token.length < 16) {
      throw new Failure(
        'bad-token-file',
        `${path}, line ${index + 1}: expected 'TOKEN [read|operate] [NAME]', a token of 16 characters or more`,
        { definite: true },
      );
    }
    lines.push({ token, role, name });
  }
  if (lines.length === 0)
    throw new Failure('bad-token-file', `${path} holds no token`, { definite: true });
  return lines;
}

function readLines(path: string): TokenLine[] {
  try {
    const mode = statSync(path).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new Failure(
        'bad-token-file',
        `${path} can be read by others (mode ${mode.toString(8)}): chmod 600 it`,
        { definite: true },
      );
    }
    return parseLines(readFileSync(path, 'utf8'), path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('bad-token-file', `cannot read token file ${path}: ${reasonOf(error)}`, {
      definite: true,
      cause: error,
    });
  }
}

/**
 * Reads a token file: lines `TOKEN`, `TOKEN read` or `TOKEN operate NAME`; '#' begins a comment.
 * @throws Failure `bad-token-file`: unreadable, readable by others, or not of this shape.
 */
export function readTokenFile(path: string): Tokens {
  const tokens = new Tokens();
  for (const line of readLines(path)) tokens.add(line.token, line.role, line.name);
  return tokens;
}

/** The first token of a file that may operate, for a client. @throws Failure `bad-token-file` */
export function firstToken(path: string): string {
  const lines = readLines(path);
  return (lines.find((line) => line.role === 'operate') ?? lines[0])?.token ?? '';
}

/** There is no mode without authentication: without a file, a token is made in the state directory. */
export function tokenFileIn(stateDirectory: string): string {
  const path = join(stateDirectory, 'token');
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  makeTokenFile(path);
  return path;
}

/** A token of chance, where there is no file yet. @throws Failure 'state-directory' */
export function makeTokenFile(path: string): void {
  if (existsSync(path)) return;
  const draft = `${path}-${randomBytes(8).toString('hex')}`;
  try {
    writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    // Whole or not at all: another daemon may be starting beside this one.
    linkSync(draft, path);
  } catch (error) {
    // It was there already: the same token as before.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new Failure('state-directory', `cannot write ${path}: ${reasonOf(error)}`, {
        definite: true,
        cause: error,
      });
    }
  } finally {
    rmSync(draft, { force: true });
  }
}
