import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Failure } from '../../src/core/base/failure.ts';
import type { Act } from '../../src/core/model/act.ts';
import type { ProcessRef } from '../../src/core/model/process-match.ts';
import type { Linux } from '../../src/host/linux/linux.ts';
import { isOwn, ownToken } from '../support/own-token.ts';

/** A machine to try the hands on. Everything is made anew for every test, and closed after it. */
export interface Bench {
  linux: Linux;
  /** Starts a process nobody needs, whose arguments hold `mark`. */
  victim(mark: string): Promise<ProcessRef>;
  /** Lets at least this long pass. */
  pass(ms: number): Promise<void>;
  /** Arguments of pid 1, or of whatever must not be touched here. */
  forbiddenPart: string;
  /** Needs that this machine can't meet, as somebody else has found out. */
  lacking?: readonly string[];
  close(): Promise<void>;
}

/** The service that every bench is configured with: its match is this part of an argument. */
export const SERVICE = { name: 'victim', mark: 'faultline-suite-service' };

export async function fails(code: string, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof Failure && error.code === code);
}

/** What is left of a suite's own: other tests' processes are on the same machine. */
export async function ours(linux: Linux): Promise<Act[]> {
  return (await linux.leftovers()).filter(isOwn).map(({ remove }) => remove);
}

/** A test on a bench of its own, closed after it. */
export function benchTests(
  open: () => Promise<Bench>,
): (title: string, body: (bench: Bench) => Promise<void>) => void {
  return (title, body) => {
    test(title, async () => {
      const bench = await open();
      try {
        await body(bench);
      } finally {
        await bench.close();
      }
    });
  };
}

/** What both implementations of Linux promise; the fake is only worth what this suite holds it to. */
export function linuxSuite(
  name: string,
  open: () => Promise<Bench>,
  skip: string | false = false,
): void {
  const onBench = benchTests(open);
  suite(`linux: ${name}`, { skip }, () => {
    onBench('stop, go on, kill: exactly the process meant', async (bench) => {
      const { linux } = bench;
      const process = await bench.victim('suite-signal');
      const states = async (): Promise<string[]> =>
        (await linux.ask({ query: 'processStates', processes: [process] })).states;
      const act = (signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): Act => ({
        act: 'process.signal',
        processes: [process],
        signal,
      });
      await linux.perform(act('SIGSTOP'));
      await linux.perform(act('SIGSTOP'));
      assert.deepEqual(await states(), ['T']);
      assert.equal(await linux.holds(act('SIGSTOP')), true);
      await linux.perform(act('SIGCONT'));
      assert.notDeepEqual(await states(), ['T']);
      const reborn = { ...process, birthTicks: process.birthTicks - 1 };
      await linux.perform({ act: 'process.signal', processes: [reborn], signal: 'SIGKILL' });
      const elsewhere = { ...process, bootId: 'another-boot' };
      await linux.perform({ act: 'process.signal', processes: [elsewhere], signal: 'SIGKILL' });
      assert.equal(await linux.holds(act('SIGKILL')), false);
      await linux.perform(act('SIGKILL'));
      assert.equal(await linux.holds(act('SIGKILL')), true);
      await linux.perform(act('SIGKILL'));
      await linux.perform(act('SIGCONT'));
    });

    onBench('processes are found by literal parts and globs', async (bench) => {
      const { linux } = bench;
      const process = await bench.victim('suite-find');
      const find = async (match: object): Promise<ProcessRef[]> =>
        (await linux.ask({ query: 'processes', match })).processes.map((one) => one.process);
      assert.deepEqual(await find({ argumentParts: ['suite-find'] }), [process]);
      assert.deepEqual(await find({ argumentParts: ['suite-find', 'suite-absent'] }), []);
      assert.deepEqual(await find({ argumentParts: ['suite-.*'] }), []);
      assert.deepEqual(await find({ glob: '*suite-f?nd*' }), [process]);
      assert.deepEqual(await find({ glob: 'suite-find' }), []);
      assert.deepEqual(await find({ service: 'nobody-knows-it' }), []);
    });

    onBench('what must not be touched says why, and is not', async (bench) => {
      const { linux } = bench;
      const match = { argumentParts: [bench.forbiddenPart] };
      const { processes } = await linux.ask({ query: 'processes', match });
      const first = processes.find((one) => one.forbidden !== undefined);
      assert.ok(first, `nothing forbidden among ${JSON.stringify(processes)}`);
      const act: Act = { act: 'process.signal', processes: [first.process], signal: 'SIGSTOP' };
      await fails('process-forbidden', linux.perform(act));
      assert.equal(await linux.holds(act), false);
    });

    onBench('stalls come and go until they are ended', async (bench) => {
      const { linux } = bench;
      const process = await bench.victim('suite-pulse');
      const pulse = { token: ownToken('suite2'), processes: [process] };
      await linux.perform({ act: 'process.pulse', ...pulse, onMs: 60_000, offMs: 10 });
      const query = { query: 'processStates' as const, processes: [process] };
      assert.deepEqual((await linux.ask(query)).states, ['T']);
      for (let again = 0; again < 2; again++) {
        await linux.perform({ act: 'process.pulse.stop', ...pulse });
        assert.notDeepEqual((await linux.ask(query)).states, ['T']);
      }
    });

    onBench('a service is started unless it runs', async (bench) => {
      const { linux } = bench;
      const query = { query: 'service' as const, service: SERVICE.name };
      const start: Act = { act: 'service.start', service: SERVICE.name };
      await linux.perform(start);
      const before = await linux.ask(query);
      assert.equal(before.known && before.startable, true);
      assert.equal(before.running.length, 1);
      await linux.perform(start);
      assert.deepEqual((await linux.ask(query)).running, before.running);
      const processes = before.running;
      await linux.perform({ act: 'process.signal', processes, signal: 'SIGKILL' });
      assert.equal(await linux.holds(start), false);
      await linux.perform(start);
      const after = await linux.ask(query);
      assert.equal(after.running.length, 1);
      assert.notDeepEqual(after.running, before.running);
      await linux.perform({ act: 'process.signal', processes: after.running, signal: 'SIGKILL' });
      await fails('service-not-startable', linux.perform({ act: 'service.start', service: 'x' }));
      const unknown = await linux.ask({ query: 'service', service: 'x' });
      assert.equal(unknown.known, false);
    });

    onBench(
      'a service that was told to end and has not yet is killed and started',
      async (bench) => {
        const { linux } = bench;
        const query = { query: 'service' as const, service: SERVICE.name };
        await linux.perform({ act: 'service.start', service: SERVICE.name });
        const { running } = await linux.ask(query);
        const ending = { note: ownToken('suite3'), processes: running };
        const again: Act = { act: 'service.start', service: SERVICE.name, ending };
        // Never told: it is nobody's business.
        await linux.perform(again);
        assert.deepEqual((await linux.ask(query)).running, running);
        const told: Act = { act: 'process.signal', processes: running, signal: 'SIGTERM' };
        await linux.perform({ ...told, note: ending.note });
        await linux.perform(again);
        const after = await linux.ask(query);
        assert.equal(after.running.length, 1);
        assert.notDeepEqual(after.running, running);
        await linux.perform(again);
        assert.deepEqual((await linux.ask(query)).running, after.running);
        await linux.perform({ ...told, processes: after.running, signal: 'SIGKILL' });
      },
    );

    onBench('burners burn, are found, and end', async (bench) => {
      const { linux } = bench;
      const token = ownToken('suite3');
      const burn: Act = {
        act: 'cpu.burn',
        token,
        workers: 1,
        sharePerMille: 300,
        rampMs: 0,
        timeoutMs: 20_000,
      };
      await linux.perform(burn);
      await linux.perform(burn);
      for (let waited = 0; ; waited += 50) {
        const { cpuMs, running } = await linux.ask({ query: 'burnerCpuMs', token });
        assert.equal(running, 1);
        if (cpuMs > 0) break;
        assert.ok(waited < 10_000, 'it burns nothing');
        await bench.pass(50);
      }
      assert.deepEqual(await ours(linux), [{ act: 'cpu.burn.stop', token }]);
      await linux.perform({ act: 'cpu.burn.refresh', token });
      for (let again = 0; again < 2; again++) {
        await linux.perform({ act: 'cpu.burn.stop', token });
        assert.equal(await linux.holds(burn), false);
      }
      await fails('expired', linux.perform({ act: 'cpu.burn.refresh', token }));
      assert.deepEqual(await ours(linux), []);
    });

    onBench('burners end by themselves', async (bench) => {
      const { linux } = bench;
      const burn: Act = {
        act: 'cpu.burn',
        token: ownToken('suite4'),
        workers: 1,
        sharePerMille: 10,
        rampMs: 0,
        timeoutMs: 300,
      };
      await linux.perform(burn);
      for (let waited = 0; await linux.holds(burn); waited += 100) {
        assert.ok(waited < 15_000, 'it outlives its timeout');
        await bench.pass(100);
      }
    });

    onBench('every need is met on a bench, but for what it is known to lack', async (bench) => {
      for (const { need, met, why } of await bench.linux.needs())
        assert.equal(met, bench.lacking?.includes(need) !== true, `${need}: ${why}`);
    });
  });
}
