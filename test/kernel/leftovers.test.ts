import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { burnerLeftovers, burnerRuns } from '../../src/host/linux/burner.ts';
import { DnsResponders } from '../../src/host/linux/dns-responders.ts';
import { KafkaProxies } from '../../src/host/linux/kafka-proxy.ts';
import { Iptables } from '../../src/host/linux/iptables.ts';
import { Redirects } from '../../src/host/linux/redirects.ts';
import { Nft } from '../../src/host/linux/nft.ts';
import { Steering } from '../../src/host/linux/steering.ts';
import { lacks } from '../support/needs.ts';
import { until } from '../support/until.ts';

suite('what is left of faults', { skip: lacks('root', 'linux', 'namespaces') }, () => {
  test('processes of another network namespace are for the agent there', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-left-'));
    const sleeper = "process.stdout.write('up'); setInterval(() => undefined, 1000);\n";
    const children: ChildProcess[] = [];
    const start = async (name: string, token: string, before: string[]): Promise<void> => {
      const script = join(directory, 'src', name);
      mkdirSync(dirname(script), { recursive: true });
      writeFileSync(script, sleeper);
      const argv = [...before, process.execPath, script, '--token', token, '{}'];
      const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'pipe', 'ignore'] });
      children.push(child);
      let up = false;
      child.stdout.once('data', () => (up = true));
      await until(`${name} to run`, () => up);
    };
    try {
      const names = ['bin/kafka-proxy.ts', 'bin/dns-responder.ts', 'bin/packets.ts'];
      for (const name of [...names, 'host/linux/burner.sh']) {
        await start(name, 'faultline-reviewhere', []);
        await start(name, 'faultline-reviewthere', ['unshare', '--net']);
      }
      const nft = new Nft(directory);
      const redirects = new Redirects(nft, new Iptables(directory));
      for (const all of [
        await new KafkaProxies(redirects, {}).leftovers(),
        await new DnsResponders(redirects, {}).leftovers(),
        new Steering(nft).leftovers(),
        burnerLeftovers(),
      ]) {
        const ours = all.filter(({ says }) => says.includes('faultline-review'));
        assert.equal(ours.length, 1, JSON.stringify(ours));
        assert.match(ours[0]?.says ?? '', /reviewhere/);
      }
      assert.ok(burnerRuns('faultline-reviewhere'));
      assert.ok(!burnerRuns('faultline-reviewthere'), 'the same fault burns on another node');
    } finally {
      for (const child of children) child.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    }
  });

  test('a machine without nft has no tables of ours, and no error', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      assert.deepEqual(await new Nft(tmpdir(), null).leftovers(), []);
    } finally {
      process.env['PATH'] = path;
    }
  });
});
