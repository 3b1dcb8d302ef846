import { readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { parseDuration } from '../../core/base/duration.ts';
import { Failure, reasonOf } from '../../core/base/failure.ts';
import { describeProblem } from '../../core/base/problem.ts';
import { checkSchema } from '../../core/base/schema.ts';
import { AgentConfig, DEFAULT_SERVICES, type Service } from '../../core/model/agent-config.ts';
import type { Node } from '../../core/model/topology.ts';
import type { AllowedPrograms } from '../../core/workloads/bench/external-command.ts';

const CONFIG_BYTES_MAX = 1024 * 1024;

export interface LoadedConfig {
  services: Record<string, Service>;
  maxDurationMs: number | undefined;
  /** Programs that are run for others. */
  externalCommands: AllowedPrograms;
  /** Nodes a request without a coordinator may name; always this node. */
  ownNodes: Node[];
}

/** Reads --config (YAML or JSON). @throws Failure 'bad-config' with every problem in it */
export async function loadAgentConfig(
  path: string | undefined,
  node: string,
): Promise<LoadedConfig> {
  const config = path === undefined ? {} : await readConfig(path);
  const maxDurationMs =
    config.maxDuration === undefined ? undefined : parseDuration(config.maxDuration);
  if (config.maxDuration !== undefined && maxDurationMs === undefined)
    throw badConfig(path ?? '', `/maxDuration: '${config.maxDuration}' is no duration ('24h')`);
  return {
    services: { ...DEFAULT_SERVICES, ...config.services },
    maxDurationMs,
    externalCommands: config.externalCommands ?? [],
    ownNodes: [thisNode(node)],
  };
}

/**
 * The services of a --config, for who heals without an agent. None without it, nor where it is wrong: then
 * those that the agent last ran with are as good, and what it says must not keep the rest from healing.
 */
export async function configuredServices(
  path: string | undefined,
): Promise<{ services?: Record<string, Service>; problem?: string }> {
  if (path === undefined) return {};
  try {
    return { services: (await loadAgentConfig(path, 'this')).services };
  } catch (error) {
    return { problem: reasonOf(error) };
  }
}

function badConfig(path: string, says: string, cause?: unknown): Failure {
  return new Failure('bad-config', `--config ${path}: ${says}`, { definite: true, cause });
}

async function readConfig(path: string): Promise<AgentConfig> {
  let document: unknown;
  try {
    if (statSync(path).size > CONFIG_BYTES_MAX) throw new Error('larger than 1 MiB');
    // Loaded only where there is a file: it costs memory that most agents need not spend.
    const { parse } = await import('yaml');
    document = parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 }) ?? {};
  } catch (error) {
    throw badConfig(path, reasonOf(error), error);
  }
  const checked = checkSchema(AgentConfig, document);
  if (checked.ok) return checked.value;
  throw badConfig(path, checked.problems.map(describeProblem).join('; '));
}

/** This node as its own interfaces show it. */
function thisNode(name: string): Node {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => !entry.internal && !entry.address.startsWith('fe80:'))
    .map((entry) => entry.address);
  return {
    name,
    addresses: addresses.length > 0 ? addresses.slice(0, 32) : ['127.0.0.1'],
    roles: ['client'],
  };
}
