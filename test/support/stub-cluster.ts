import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineSettings } from '../../src/core/coordinator/machine-types.ts';
import type { FaultRequest } from '../../src/core/model/fault-request.ts';
import type { FaultStatus } from '../../src/core/model/fault-status.ts';
import {
  startCoordinator,
  type CoordinatorFlags,
  type ServedCoordinator,
} from '../../src/host/coordinator/serve.ts';
import { HttpClient, type ClientAnswer } from '../../src/host/http-client.ts';
import { pino } from 'pino';
import { STUB_TOKEN, StubAgent, type StubOptions } from './stub-agent.ts';
import { until } from './until.ts';

/** A coordinator in this process, and stubs for agents, over real sockets. */
export class StubCluster {
  readonly directory = mkdtempSync(join(tmpdir(), 'faultline-coordinator-'));
  readonly stubs: StubAgent[] = [];
  served: ServedCoordinator | undefined;

  get clusterFile(): string {
    return join(this.directory, 'cluster.yaml');
  }

  get tokenFile(): string {
    return join(this.directory, 'token');
  }

  get stateDirectory(): string {
    return join(this.directory, 'state');
  }

  /** Starts `count` stubs, n1 and so on, and writes cluster.yaml. Five or more are controllers, too. */
  async startStubs(count: number, options: (node: string) => Partial<StubOptions> = () => ({})) {
    for (let index = 1; index <= count; index++) {
      const node = `n${index}`;
      const stub = new StubAgent({ node, ...options(node) });
      this.stubs.push(stub);
      await stub.start();
    }
    const nodes = this.stubs.map((stub, index) => ({
      name: stub.options.node,
      agent: stub.url,
      addresses: [`192.0.2.${index + 1}`],
      roles: ['broker'],
    }));
    writeFileSync(this.clusterFile, JSON.stringify({ name: 'stubs', nodes }));
    writeFileSync(this.tokenFile, `${STUB_TOKEN}\n`, { mode: 0o600 });
  }

  async startCoordinator(
    settings: Partial<MachineSettings> = {},
    more: Partial<CoordinatorFlags> = {},
  ): Promise<ServedCoordinator> {
    const flags = {
      ...more,
      listen: '127.0.0.1:0',
      state: this.stateDirectory,
      cluster: this.clusterFile,
      tokenFile: this.tokenFile,
      insecure: false,
    };
    this.served = await startCoordinator(flags, {
      settings,
      logger: pino({ level: process.env['FAULTLINE_LOG'] ?? 'silent' }),
    });
    return this.served;
  }

  async stopCoordinator(): Promise<void> {
    await this.served?.close();
    this.served = undefined;
  }

  get client(): HttpClient {
    return new HttpClient({ url: this.served?.url ?? '', token: STUB_TOKEN });
  }

  async linked(nodes = this.stubs.map((stub) => stub.options.node)): Promise<void> {
    await until('all links to be up', () => {
      const state = this.served?.coordinator.state;
      return nodes.every((node) => state?.links.get(node)?.complete);
    });
  }

  create(
    request: FaultRequest,
    query: Record<string, string> = { wait: '5s' },
  ): Promise<ClientAnswer<FaultStatus>> {
    return this.client.call('POST', '/v1/faults', { body: request, query });
  }

  fault(id: string): Promise<FaultStatus> {
    return this.client.get(`/v1/faults/${id}`);
  }

  stub(node: string): StubAgent {
    const found = this.stubs.find((stub) => stub.options.node === node);
    if (!found) throw new Error(`no stub ${node}`);
    return found;
  }

  async close(): Promise<void> {
    await this.stopCoordinator();
    for (const stub of this.stubs) await stub.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
