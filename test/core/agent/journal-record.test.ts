import assert from 'node:assert/strict';
import { test } from 'node:test';
import { survivesReboot } from '../../../src/core/agent/journal-record.ts';
import type { Act } from '../../../src/core/model/act.ts';

/** Of every act there is, whether what it undoes is still there after a reboot. */
const SURVIVES: Record<Act['act'], boolean> = {
  'cgroup.delete': false,
  'cpu.burn': false,
  'cpu.burn.refresh': false,
  'cpu.burn.stop': false,
  'disk.fault': false,
  'disk.fault.remove': false,
  'disk.fault.renew': false,
  'disk.fill': true,
  'disk.fill.remove': true,
  'disk.flip': true,
  'disk.flip.undo': true,
  'disk.powercut': false,
  'disk.unmount': false,
  'dns.answer': false,
  'dns.refresh': false,
  'dns.stop': false,
  'kafka.proxy': false,
  'kafka.proxy.refresh': false,
  'kafka.proxy.stop': false,
  'netfilter.apply': false,
  'netfilter.delete': false,
  'netfilter.refresh': false,
  noop: false,
  'packets.refresh': false,
  'packets.release': false,
  'packets.steer': false,
  'process.pulse': false,
  'process.pulse.stop': false,
  'process.signal': false,
  'service.start': false,
  'shaping.apply': false,
  'shaping.refresh': false,
  'shaping.release': false,
  'sockets.destroy': false,
};

test('only what lies on a disk is undone after a reboot, and what nobody knows', () => {
  for (const [act, survives] of Object.entries(SURVIVES))
    assert.equal(survivesReboot({ act } as Act), survives, act);
  assert.equal(survivesReboot({ act: 'of.a.later.version' } as unknown as Act), true);
});
