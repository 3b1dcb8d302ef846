import { isIP } from 'node:net';
import { Failure } from '../../core/base/failure.ts';

export interface ListenAddress {
  host: string;
  /** 0: the kernel chooses. */
  port: number;
}

/** Reads 'HOST:PORT' or '[::1]:PORT'. @throws Failure `bad-listen-address` */
export function parseListen(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535) {
    throw new Failure(
      'bad-listen-address',
      `--listen ${text}: expected HOST:PORT, as 127.0.0.1:7600 or [::1]:7600`,
      { definite: true },
    );
  }
  return { host, port };
}

export function isLoopback(host: string): boolean {
  const name = host.replace(/^::ffff:/i, '').toLowerCase();
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** A host as it stands in a URL. */
export function urlHost(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** Refuses to speak plain HTTP beyond loopback, unless told so. @throws Failure `insecure-listen` */
export function checkListen(listen: ListenAddress, secure: boolean, insecure: boolean): void {
  if (secure || insecure || isLoopback(listen.host)) return;
  throw new Failure(
    'insecure-listen',
    `--listen ${urlHost(listen.host)}:${listen.port} is not loopback: give --tls-cert and --tls-key, or --insecure to send tokens in clear`,
    { definite: true },
  );
}
