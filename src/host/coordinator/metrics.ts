import { STATES } from '../../core/model/lifecycle.ts';
import type { Coordinator } from './coordinator.ts';

/** Prometheus text of the coordinator. The library is loaded by the first who asks. */
export async function renderMetrics(
  coordinator: Coordinator,
): Promise<{ text: string; contentType: string }> {
  const { Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });

  const faults = gauge('faultline_faults', 'Faults that have not ended, by state.', ['state']);
  for (const state of STATES) faults.set({ state }, 0);
  for (const id of coordinator.state.faults.keys()) {
    const fault = coordinator.getFault(id);
    if (fault) faults.inc({ state: fault.state });
  }
  const linked = gauge('faultline_node_linked', '1 while the link to the node is up.', ['node']);
  const clock = gauge(
    'faultline_node_clock_uncertainty_seconds',
    "Half the best round trip of the clock's estimate.",
    ['node'],
  );
  const offset = gauge(
    'faultline_node_clock_offset_seconds',
    "Node's CLOCK_BOOTTIME minus the coordinator's.",
    ['node'],
  );
  for (const node of coordinator.nodes()) {
    if (node.agent === null) continue;
    linked.set({ node: node.name }, node.link === 'linked' ? 1 : 0);
    if (node.clock === undefined) continue;
    clock.set({ node: node.name }, node.clock.uncertaintyMs / 1_000);
    offset.set({ node: node.name }, node.clock.offsetMs / 1_000);
  }
  gauge('faultline_halted', '1 while new faults are refused (heal without resume).').set(
    Number(coordinator.halted),
  );
  gauge('faultline_events_last_id', 'Id of the newest event.').set(coordinator.events.lastId);
  gauge('process_resident_memory_bytes', 'Resident memory of the coordinator.').set(
    process.memoryUsage.rss(),
  );
  return { text: await registry.metrics(), contentType: registry.contentType };
}
