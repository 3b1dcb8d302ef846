import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An authority, and what it has signed: key and certificate in one PEM file, as Kafka's PEM stores are. */
export class Certificates {
  readonly #directory: string;
  readonly authority: string;

  /** @param directory that is there already, and goes with the test. */
  constructor(directory: string, name = 'authority') {
    this.#directory = directory;
    this.authority = join(directory, `${name}.pem`);
    const subject = ['-subj', `/CN=${name}`, '-days', '2'];
    openssl(['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject], {
      key: `${this.authority}.key`,
      certificate: this.authority,
    });
  }

  /** @param names subject alternative names, as 'IP:198.18.0.1'. @returns the path of the PEM store. */
  sign(name: string, names: readonly string[] = []): string {
    const path = join(this.#directory, `${name}.pem`);
    const alternative = names.length > 0 ? ['-addext', `subjectAltName=${names.join(',')}`] : [];
    const by = ['-CA', this.authority, '-CAkey', `${this.authority}.key`];
    const subject = ['-subj', `/CN=${name}`, '-days', '2', ...alternative];
    const files = { key: `${path}.key`, certificate: `${path}.crt` };
    openssl(['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...by], files);
    writeFileSync(path, readFileSync(files.key, 'utf8') + readFileSync(files.certificate, 'utf8'));
    return path;
  }
}

function openssl(argv: readonly string[], files: { key: string; certificate: string }): void {
  const out = ['-keyout', files.key, '-out', files.certificate];
  execFileSync('openssl', [...argv, ...out], { stdio: ['ignore', 'ignore', 'pipe'] });
}
