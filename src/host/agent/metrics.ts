import { STATES } from '../../core/model/lifecycle.ts';
import type { AgentState } from '../../core/agent/state.ts';

/** Prometheus text of the agent's state. The library is loaded by the first who asks. */
export async function renderMetrics(
  state: AgentState,
): Promise<{ text: string; contentType: string }> {
  const { Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const faults = new Gauge({
    name: 'faultline_agent_faults',
    help: 'Faults this agent knows, tombstones included, by state.',
    labelNames: ['state'],
    registers: [registry],
  });
  for (const name of STATES) faults.set({ state: name }, 0);
  for (const fault of state.faults.values()) if (!fault.dryRun) faults.inc({ state: fault.state });
  const gauge = (name: string, help: string, value: number): void => {
    new Gauge({ name, help, registers: [registry] }).set(value);
  };
  gauge(
    'faultline_agent_closed',
    '1 while new faults are refused (heal without resume).',
    Number(state.closed),
  );
  gauge(
    'process_resident_memory_bytes',
    'Resident memory of the agent.',
    process.memoryUsage.rss(),
  );
  return { text: await registry.metrics(), contentType: registry.contentType };
}
