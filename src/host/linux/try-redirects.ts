import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../../core/base/failure.ts';
import { writePorts, writeRedirectChain } from '../../core/codec/iptables-redirect.ts';
import { writeRedirectRefresh, writeRedirectTable } from '../../core/codec/nft-redirect.ts';
import type { Capability } from '../../core/model/fault.ts';
import type { Redirection } from '../../core/model/redirection.ts';
import { exec } from '../exec.ts';
import { programOf } from './iptables.ts';

const TIMEOUT_MS = 10_000;

type Found = Omit<Capability, 'need'>;

/** A proxy's and a responder's. */
const TRIALS: readonly Redirection[] = [
  { mark: 1 },
  { resolvers: ['192.0.2.53', '2001:db8::53'], group: 1 },
].map((whose, index) => ({
  backend: 'nft',
  table: `faultline-probe${index}`,
  faultId: 'probe',
  ports: [9092],
  timeoutMs: 60_000,
  whose,
}));

/** In a network namespace of its own. @param files text by name, given to `script` in that order. */
async function tryScript(
  scratchDir: string,
  files: readonly string[],
  script: string,
  programs: readonly string[],
): Promise<void> {
  const dir = mkdtempSync(join(scratchDir, 'needs-'));
  try {
    const paths = files.map((text, index) => {
      const path = join(dir, String(index));
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    });
    const argv = ['bash', '-c', script, 'bash', ...paths, ...programs];
    await exec(['unshare', '--net', ...argv], { timeoutMs: TIMEOUT_MS });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function byNft(scratchDir: string): Promise<Found> {
  const commands = TRIALS.map(
    (trial) => writeRedirectTable(trial, 1) + writeRedirectRefresh(trial),
  );
  await tryScript(scratchDir, [commands.join('')], 'nft -f "$1"', []);
  return { met: true, why: 'nftables redirects connections and queries' };
}

async function byIptables(scratchDir: string, base: string | undefined): Promise<Found> {
  if (base === undefined) return { met: false, why: 'there is no iptables' };
  const chains = ([4, 6] as const).map((family) =>
    TRIALS.map((trial) => writeRedirectChain(trial, family, 1, true)).join(''),
  );
  await tryScript(
    scratchDir,
    [TRIALS.map(writePorts).join(''), ...chains],
    'ipset -file "$1" restore && "$4" --noflush "$2" && "$5" --noflush "$3"',
    ([4, 6] as const).map((family) => programOf(base, family, '-restore')),
  );
  return { met: true, why: `${base} and ipset redirect connections and queries` };
}

/** Whether what is new can be sent to a process of ours here. @param base which iptables. */
export function tryRedirects(
  scratchDir: string,
  base: string | undefined,
): { nft: Promise<Found>; iptables: Promise<Found> } {
  const unmet = (error: unknown): Found => ({ met: false, why: reasonOf(error) });
  return {
    // A refusal is what was to be found out.
    nft: byNft(scratchDir).catch(unmet),
    iptables: byIptables(scratchDir, base).catch(unmet),
  };
}
