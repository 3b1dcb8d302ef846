import { hostname } from 'node:os';
import { isIP } from 'node:net';
import { HttpProblem } from './http-problem.ts';
import { isLoopback } from './listen.ts';

interface SiteHeaders {
  host?: string | undefined;
  origin?: string | string[] | undefined;
}

/** 'name:port' or '[v6]:port' -> the name alone, lower case. */
function nameOf(host: string): string {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::[0-9]+)?$/.exec(host);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}

/**
 * Whether a request comes from where it says. A page of another site can make a browser call us
 * (Origin tells) or let its own name resolve to our address (DNS rebinding: Host tells, because an
 * address literal cannot be rebound).
 * @param names further names this daemon is called by.
 */
export function checkSite(headers: SiteHeaders, names: readonly string[]): HttpProblem | undefined {
  const host = headers.host ?? '';
  const name = nameOf(host);
  const known =
    isIP(name) !== 0 ||
    isLoopback(name) ||
    name === hostname().toLowerCase() ||
    names.some((other) => other.toLowerCase() === name);
  if (!known) {
    return new HttpProblem(
      403,
      `this daemon is not called '${name.slice(0, 80)}' (header Host); name it by address, or add the name with --host-name`,
    );
  }
  const { origin } = headers;
  if (origin === undefined) return undefined;
  const same = typeof origin === 'string' && origin.replace(/^https?:\/\//, '') === host;
  return same ? undefined : new HttpProblem(403, 'requests of other sites are refused (Origin)');
}
