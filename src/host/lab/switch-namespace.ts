import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../core/base/failure.ts';
import { exec } from '../exec.ts';
import { MARK } from './processes.ts';
import type { LabPlace } from './place.ts';
import { freeSubnet, hostLink, networksInUse, subnetAddress, subnetAddress6 } from './subnet.ts';

/** Commands of a lab carry its mark, so that one interrupted in the middle is found and ended. */
export const marked = (place: LabPlace): NodeJS.ProcessEnv => ({
  ...process.env,
  [MARK]: place.directory,
});

/** ip(8) inside the switch's namespace: the host's bridges and rules are never touched. */
export async function inSwitch(place: LabPlace, lines: readonly string[]): Promise<void> {
  writeFileSync(join(place.directory, 'switch.batch'), `${lines.join('\n')}\n`);
  const batch = ['ip', '-batch', join(place.directory, 'switch.batch')];
  await exec(['nsenter', `--net=${place.switchFile}`, ...batch], { env: marked(place) });
}

/** A network namespace of its own with a bridge in it; a mount on `switchFile` keeps it. */
export async function makeSwitch(place: LabPlace): Promise<void> {
  writeFileSync(place.switchFile, '');
  await exec(['unshare', `--net=${place.switchFile}`, 'true'], { env: marked(place) });
  await inSwitch(place, [
    'link set lo up',
    'link add br0 type bridge stp_state 0 mcast_snooping 0',
    'link set br0 up',
  ]);
}

/**
 * The cable between switch and host, on a /24 that nothing here uses. It is named by the subnet and
 * carries the lab's directory as its alias before the host sees it: of two labs that choose the same
 * at once, the kernel lets one in, and each knows its own.
 * @returns the subnet's index.
 */
export async function connectHost(
  place: LabPlace,
  chosen: (subnet: number) => void,
): Promise<number> {
  const inUse = await networksInUse();
  for (let from = 0; ;) {
    const subnet = freeSubnet(inUse, from);
    if (subnet === undefined) {
      throw new Failure('no-subnet', 'no free /24 is left in 198.18.0.0/15', { definite: true });
    }
    chosen(subnet);
    const link = hostLink(subnet);
    await inSwitch(place, [
      `link add ${link} type veth peer name host`,
      `link set ${link} alias ${place.directory}`,
      'link set host master br0',
      'link set host up',
    ]);
    try {
      await inSwitch(place, [`link set ${link} netns ${process.pid}`]);
    } catch (error) {
      if (!(await linkExists(link))) throw error;
      // Another lab was quicker: the next subnet then.
      await inSwitch(place, [`link del ${link}`]);
      from = subnet + 1;
      continue;
    }
    await addHostAddresses(place, subnet);
    return subnet;
  }
}

async function addHostAddresses(place: LabPlace, subnet: number): Promise<void> {
  const link = hostLink(subnet);
  const env = marked(place);
  await exec(['ip', 'addr', 'add', `${subnetAddress(subnet, 1)}/24`, 'dev', link], { env });
  await exec(['ip', 'link', 'set', link, 'up'], { env });
  try {
    const address = `${subnetAddress6(subnet, 1)}/64`;
    await exec(['ip', '-6', 'addr', 'add', address, 'dev', link, 'nodad'], { env });
  } catch {
    // A host with IPv6 switched off still has a lab; its nodes reach each other by IPv6 all the same.
  }
}

async function linkExists(link: string): Promise<boolean> {
  const links = await linksOfHost();
  return links.some((one) => one.ifname === link);
}

interface HostLink {
  ifname: string;
  ifalias?: string;
}

async function linksOfHost(): Promise<HostLink[]> {
  const { stdout } = await exec(['ip', '-j', '-d', 'link', 'show'], {
    outputMax: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout || '[]') as HostLink[];
}

/** The host's ends of this lab's cables: those that carry its directory as their alias. */
export async function hostLinksOf(place: LabPlace): Promise<string[]> {
  const links = await linksOfHost();
  return links.filter((link) => link.ifalias === place.directory).map((link) => link.ifname);
}

/** Undoes makeSwitch and connectHost, whichever parts of them happened. */
export async function removeSwitch(place: LabPlace, mounted: boolean): Promise<void> {
  for (const link of await hostLinksOf(place)) await exec(['ip', 'link', 'del', link]);
  if (mounted) await exec(['umount', '--lazy', place.switchFile]);
  // Removing the file detaches its copies in the mount namespaces of others, too.
  rmSync(place.switchFile, { force: true });
}
