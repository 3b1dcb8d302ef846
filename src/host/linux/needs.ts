import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { tryLoadGroups } from './control-groups.ts';
import { tryFallocate } from './disk-fill.ts';
import { tryDiskMount } from './disk-mounts.ts';
import { readChains, writeChain, writeSets } from '../../core/codec/iptables.ts';
import { holdsAll } from '../../core/codec/netfilter.ts';
import { readListedTable, writeList, writeTable } from '../../core/codec/nft.ts';
import { EVERY_PACKET, type RuleTable } from '../../core/model/act-netfilter.ts';
import { NEEDS, type Capability, type Need } from '../../core/model/fault.ts';
import { exec } from '../exec.ts';
import { tryPacketQueue } from '../nfqueue/trial.ts';
import { findIptables, programOf } from './iptables.ts';
import { tryDestroy } from './sockets.ts';
import { tryQdiscs } from './try-qdiscs.ts';
import { tryRedirects } from './try-redirects.ts';
import { trySignals } from './try-signals.ts';
import { TRIAL_TABLE } from './trial-table.ts';

const TIMEOUT_MS = 10_000;

const TRIAL: RuleTable = {
  backend: 'nft',
  ...TRIAL_TABLE,
  how: 'reset',
  perMillion: EVERY_PACKET / 2,
};
const BITTEN = new Set(['nobody']);

const TRIAL_TOKEN = 'faultline-trial';

type Found = Omit<Capability, 'need'>;

/** In a network namespace of its own, so that nothing of this machine is touched. */
async function tryNft(scratchDir: string, through: string): Promise<Found> {
  const dir = mkdtempSync(join(scratchDir, 'needs-'));
  const file = join(dir, 'trial.nft');
  writeFileSync(file, writeTable(TRIAL, BITTEN) + writeList(TRIAL.table), { mode: 0o600 });
  try {
    const argv = ['unshare', '--net', 'nft', '-j', '-f', file];
    const { stdout } = await exec(argv, { timeoutMs: TIMEOUT_MS });
    const met = holdsAll(TRIAL, readListedTable(stdout), BITTEN);
    const version = /"version": *"([0-9.]+)"/.exec(stdout)?.[1] ?? 'of unknown version';
    return { met, why: met ? `nft ${version} through ${through}` : 'a set lost its elements' };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { met: false, why: error.message };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Makes the rules of both families, and shows them: each argument is a program or a file. */
const IPTABLES_TRIAL =
  '"$1" --noflush "$2" && "$3" --noflush "$4" && "$5" -c && if [ -n "$6" ]; then ipset save; fi';

/** In a network namespace of its own. @param sets a file of ipset commands, made first. */
async function tryIptables(
  scratchDir: string,
  base: string | undefined,
  backend: 'iptables' | 'iptables-plain',
): Promise<Found> {
  if (base === undefined) return { met: false, why: 'there is no iptables' };
  const dir = mkdtempSync(join(scratchDir, 'needs-'));
  const trial: RuleTable = { ...TRIAL, backend };
  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  try {
    const sets = backend === 'iptables' ? write('sets', writeSets(trial, BITTEN)) : '';
    const rules = ([4, 6] as const).flatMap((family) => [
      programOf(base, family, '-restore'),
      write(`rules${family}`, writeChain(trial, family, true)),
    ]);
    const script = sets === '' ? IPTABLES_TRIAL : `ipset -file "$6" restore && ${IPTABLES_TRIAL}`;
    const argv = ['bash', '-c', script, 'bash', ...rules, programOf(base, 4, '-save'), sets];
    const { stdout } = await exec(['unshare', '--net', ...argv], { timeoutMs: TIMEOUT_MS });
    const listed = readChains(trial, [stdout], stdout);
    const met = listed.faultId !== undefined && (sets === '' || holdsAll(trial, listed, BITTEN));
    const { stdout: version } = await exec([base, '--version'], { timeoutMs: TIMEOUT_MS });
    return { met, why: met ? version.trim() : 'a rule or an entry was lost' };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { met: false, why: error.message };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** A shell that can sleep without a process and read the time without one. */
async function tryBurner(): Promise<Found> {
  const script = 'exec {fd}<> <(:); read -r up rest </proc/uptime && echo "$BASH_VERSION"';
  try {
    const { stdout } = await exec(['/bin/bash', '-c', script], { timeoutMs: TIMEOUT_MS });
    const groups = tryLoadGroups(TRIAL_TOKEN);
    return { met: true, why: `processes of our own, bash ${stdout.trim()}; ${groups}` };
  } catch (error) {
    return { met: false, why: reasonOf(error) };
  }
}

const unmet = (why: string): Found => ({ met: false, why });

/**
 * Tries every need by doing.
 * @param through how nft is called here. @param base which iptables; undefined: what is installed.
 */
export async function tryNeeds(
  scratchDir: string,
  through: string,
  base: string | undefined = findIptables(),
): Promise<Capability[]> {
  const nft = tryNft(scratchDir, through);
  const qdiscs = tryQdiscs(scratchDir);
  const redirects = tryRedirects(scratchDir, base);
  const signals = trySignals();
  const tries: Record<Need, Promise<Found>> = {
    'cpu.burn': tryBurner(),
    'disk.fallocate': tryFallocate(scratchDir),
    'disk.mount': tryDiskMount(),
    htb: qdiscs.then(({ htb }) => htb),
    ipset: tryIptables(scratchDir, base, 'iptables'),
    iptables: tryIptables(scratchDir, base, 'iptables-plain'),
    netem: qdiscs.then(({ netem }) => netem),
    nfqueue: tryPacketQueue(scratchDir),
    nft,
    'nft.timeout': nft,
    'process.pidfd': signals,
    'process.signal': signals,
    'redirect.iptables': redirects.iptables,
    'redirect.nft': redirects.nft,
    'sockets.destroy': tryDestroy(),
  };
  return Promise.all(
    NEEDS.map(async (need) => {
      // One that can't be tried is not met; it is no reason to know nothing of the others.
      const found = await tries[need].catch((error: unknown) => unmet(reasonOf(error)));
      return { need, met: found.met, why: found.why };
    }),
  );
}
