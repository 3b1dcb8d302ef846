import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { linuxSuite, SERVICE, type Bench } from '../conformance/linux-suite.ts';
import { packetsSuite } from '../conformance/packets-suite.ts';
import { redirectsSuite } from '../conformance/redirects-suite.ts';
import { shapingSuite } from '../conformance/shaping-suite.ts';
import { netfilterSuite } from '../conformance/netfilter-suite.ts';
import { LinuxInNetns } from '../support/linux-in-netns.ts';
import { lacks } from '../support/needs.ts';
import { TestNetwork } from '../support/netns.ts';
import { until } from '../support/until.ts';

/** A shell that sleeps, with the mark among its arguments: nothing on the machine is called so. */
const sleeper = (mark: string): string[] => ['/bin/bash', '-c', 'read -r', mark];

/** A controlled shutdown that takes longer than anybody waits here. */
const SLOW = `trap '' TERM`;

async function open(iptables?: string): Promise<Bench> {
  const network = new TestNetwork('flhand', 1, 41);
  const [node] = network.nodes;
  if (!node) throw new Error('no node');
  const children: ChildProcess[] = [];
  const linux = new LinuxInNetns(
    network,
    node,
    {
      [SERVICE.name]: {
        match: { argumentParts: [SERVICE.mark] },
        start: { argv: ['/bin/bash', '-c', `${SLOW}; read -r <> <(:) # ${SERVICE.mark}`] },
      },
    },
    iptables,
  );
  return {
    linux,
    async victim(mark) {
      const [program = '', ...rest] = sleeper(mark);
      const child = spawn(program, rest, { stdio: ['pipe', 'ignore', 'ignore'] });
      children.push(child);
      return until(`${mark} runs`, async () => {
        const match = { argumentParts: [mark] };
        const { processes } = await linux.ask({ query: 'processes', match });
        return processes[0]?.process;
      });
    },
    pass: (ms) => sleep(ms),
    // The server that speaks for the agent here.
    forbiddenPart: 'test/support/linux-server.ts',
    lacking: (['htb', 'netem'] as const).filter((need) => lacks(need) !== false),
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await linux.close();
      network.close();
    },
  };
}

linuxSuite('a real kernel', () => open(), lacks('root', 'namespaces', 'nft', 'ipset'));
const needs = ['root', 'namespaces', 'nft', 'ipset'] as const;
netfilterSuite('a real kernel, iptables-nft', () => open('iptables-nft'), {
  skip: lacks(...needs, 'iptables-nft'),
});
netfilterSuite('a real kernel, iptables-legacy', () => open('iptables-legacy'), {
  skip: lacks(...needs, 'iptables-legacy'),
  backends: ['iptables', 'iptables-plain'],
});
packetsSuite('a real kernel', () => open(), lacks('root', 'namespaces', 'nft', 'nfqueue'));
redirectsSuite('a real kernel', () => open(), lacks(...needs, 'iptables-nft'));
const shapes = lacks('root', 'namespaces', 'nft', 'htb');
shapingSuite('a real kernel', () => open(), '198.19.41.9', shapes);
