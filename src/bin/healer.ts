import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { reasonOf } from '../core/base/failure.ts';
import { healOffline } from '../host/heal-offline.ts';
import { thisMachine } from '../host/this-machine.ts';

/**
 * What the guard starts: `healer --state DIR [--kill PID:BIRTH]`. Ends with 0 when
 * nothing is left to heal, or an agent is back that does.
 */
const { values } = parseArgs({
  options: {
    state: { type: 'string', default: '' },
    kill: { type: 'string' },
  },
});
try {
  // The guard is spared by the OOM killer; a service that an undo starts must not inherit that.
  writeFileSync('/proc/self/oom_score_adj', '0');
} catch {
  // Not ours to change: then the guard could not change its own either.
}
try {
  const killed = /^([0-9]+):([0-9]+)$/.exec(values.kill ?? '');
  const report = await healOffline({
    stateDirectory: values.state,
    linux: thisMachine(undefined, values.state),
    by: 'guard',
    ...(killed ? { kill: { pid: Number(killed[1]), birthTicks: Number(killed[2]) } } : {}),
  });
  const { leftToAgent, faults, removed, failed } = report;
  if (leftToAgent) console.log(`agent ${leftToAgent.pid} is back, and heals`);
  for (const fault of faults) console.log(`${fault.kind} '${fault.id}' is ${fault.state}`);
  for (const says of removed) console.log(`removed: ${says}`);
  for (const says of failed) console.error(`not healed: ${says}`);
  process.exit(failed.length === 0 ? 0 : 1);
} catch (error) {
  console.error(`not healed: ${reasonOf(error)}`);
  process.exit(1);
}
