import type { LabStatus } from '../host/lab/status.ts';

type NodeStatus = LabStatus['nodes'][number];

/** How a node is, in a few words. */
function words({ health }: NodeStatus): string {
  return [
    health.init ? 'up' : 'DOWN',
    ...(health.broker === '' ? [] : [`broker ${health.broker}`]),
    ...(health.disk === '' || health.disk.startsWith('running') ? [] : [`disk ${health.disk}`]),
    ...(health.agent === '' ? [] : [`agent ${health.agent}`]),
    ...(health.registered === true ? ['registered'] : []),
    ...(health.registered === false ? ['NOT REGISTERED'] : []),
    ...(health.leader === true ? ['quorum leader'] : []),
  ].join(', ');
}

/** A node a line: what it is called, where it is, how it is; then where the lab is reached. */
export function statusLines(status: LabStatus): string[] {
  const width = Math.max(...status.nodes.map((node) => node.name.length));
  const rows = status.nodes.map(
    (node) => `${node.name.padEnd(width)}  ${node.address.padEnd(15)}  ${words(node)}`,
  );
  const coordinator = status.coordinator === null ? [] : [`coordinator ${status.coordinator.url}`];
  const bootstrap = status.bootstrap === '' ? [] : [`bootstrap ${status.bootstrap}`];
  const ducktape = status.ducktapeFile === null ? [] : [`ducktape ${status.ducktapeFile}`];
  return [...rows, ...bootstrap, ...coordinator, ...ducktape, `files ${status.directory}`];
}
