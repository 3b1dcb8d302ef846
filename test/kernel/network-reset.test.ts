import assert from 'node:assert/strict';
import { suite } from 'node:test';
import { networkReset } from '../../src/core/faults/network.reset.ts';
import { lacks } from '../support/needs.ts';
import { AGENT, CONTROLLER, KAFKA, rigTests, type Machine } from '../support/net-rig.ts';
import { until } from '../support/until.ts';

const SILENT_MS = 700;
const addressesOf = ({ node }: Machine): string[] => [node.address, node.address6];

for (const { backend, iptables } of [
  { backend: 'nft', iptables: 'iptables-nft' },
  { backend: 'iptables', iptables: 'iptables-legacy' },
] as const) {
  const skip = lacks('root', 'namespaces', 'nft', 'ipv6', 'ipset', iptables);
  suite(`network.reset on a real kernel, by ${backend}`, { skip }, () => {
    const onRig = rigTests({ prefix: 'flrst', iptables });

    onRig('idle and new connections break on both sides; bystanders do not', async (rig) => {
      await rig.listen(AGENT, KAFKA);
      const [one, two, three] = [rig.at(1), rig.at(2), rig.at(3)];
      for (const address of addressesOf(one)) {
        await two.peer.open(address, KAFKA, 5_000, address);
        await three.peer.open(address, KAFKA, 5_000, address);
      }
      await two.peer.open(one.node.address, AGENT, 5_000, 'agent');
      await one.peer.open(two.node.address, KAFKA, 5_000, 'out');
      const params = { peers: ['n2'], backend };
      const control = { coordinatorAddresses: addressesOf(two), agentPort: AGENT };
      const steps = rig.plan(networkReset, 1, params, { control });
      await rig.perform(1, steps);
      for (const name of addressesOf(one)) {
        await until('it breaks', async () => (await two.peer.echo(name, 1_000)) === 'broken');
        assert.equal(await two.peer.open(name, KAFKA, 5_000), 'refused');
        assert.equal(await three.peer.echo(name, 5_000), 'echoed');
      }
      await until('it breaks', async () => (await one.peer.echo('out', 1_000)) === 'broken');
      assert.equal(await two.peer.echo('agent', 5_000), 'echoed');
      await rig.undo(1, steps);
      assert.equal(await two.peer.open(one.node.address, KAFKA, 5_000), 'open');
    });

    onRig('half open: gone here, and the peer is not told until it heals', async (rig) => {
      await rig.listen(KAFKA);
      const [one, two] = [rig.at(1), rig.at(2)];
      for (const name of addressesOf(one)) await two.peer.open(name, KAFKA, 5_000, name);
      const steps = rig.plan(networkReset, 1, { peers: ['n2'], halfOpen: true, backend });
      const witness = networkReset.witness({ halfOpen: true }, rig.here(1), []);
      assert.ok('seen' in witness);
      const before = await one.hands.ask(witness.sample);
      await rig.perform(1, steps);
      assert.ok(witness.seen(before, await one.hands.ask(witness.sample)));
      for (const name of addressesOf(one))
        assert.equal(await two.peer.echo(name, SILENT_MS), 'silent');
      assert.equal(await two.peer.open(one.node.address, KAFKA, 5_000), 'open');
      await rig.undo(1, steps);
      for (const name of addressesOf(one))
        await until('it is told', async () => (await two.peer.echo(name, 1_000)) === 'broken');
    });
  });
}

suite(
  'network.reset, once',
  { skip: lacks('root', 'namespaces', 'nft', 'ipv6', 'ipset', 'iptables-nft') },
  () => {
    const onRig = rigTests({ prefix: 'flrst', iptables: 'iptables-nft' });

    onRig('one listener’s, or a share of them by the seed', async (rig) => {
      await rig.listen(KAFKA, CONTROLLER);
      const [one, two] = [rig.at(1), rig.at(2)];
      await two.peer.open(one.node.address, CONTROLLER, 5_000, 'controller');
      const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
      for (const name of names) await two.peer.open(one.node.address6, KAFKA, 5_000, name);
      const params = { once: true, ratio: '50%', ports: [KAFKA] };
      await rig.perform(1, rig.plan(networkReset, 1, params));
      const words = await Promise.all(names.map((name) => two.peer.echo(name, 5_000)));
      const broken = words.filter((word) => word === 'broken').length;
      // Of 40 fair coins: outside of this once in a million.
      assert.ok(broken > 4 && broken < 36, `${broken} of 40`);
      assert.equal(words.filter((word) => word === 'echoed').length, 40 - broken);
      assert.equal(await two.peer.echo('controller', 5_000), 'echoed');
      await rig.perform(1, rig.plan(networkReset, 1, { once: true, listeners: ['controller'] }));
      await until('it breaks', async () => {
        return (await two.peer.echo('controller', 1_000)) === 'broken';
      });
    });
  },
);
