import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { Cluster } from '../../src/core/model/topology.ts';
import { labStatus } from '../../src/host/lab/status.ts';
import { testLabName, withLab } from '../support/lab.ts';

const name = testLabName('controllers');
/** Another release is a download: only where long tests are asked for. */
const other = process.env['FAULTLINE_LONG'] === '1' ? '3.6.1' : undefined;
const size = {
  brokers: 2,
  controllers: 3,
  clients: 0,
  disks: 0,
  agents: false,
  coordinator: false,
};

withLab({ name, ...size, ...(other === undefined ? {} : { kafka: other }) }, (lab) => {
  test('controllers stand apart, and the cluster file and health say so', async () => {
    const cluster = parse(readFileSync(lab().clusterFile, 'utf8')) as Cluster;
    assert.deepEqual(
      cluster.nodes.map((node) => [node.name, node.kafkaId, node.roles.join()]),
      [
        ['n1', 1, 'broker'],
        ['n2', 2, 'broker'],
        ['k1', 101, 'controller'],
        ['k2', 102, 'controller'],
        ['k3', 103, 'controller'],
      ],
    );
    const ports = (index: number): (number | undefined)[] =>
      (cluster.nodes[index]?.listeners ?? []).map(({ port }) => port);
    assert.deepEqual([ports(0), ports(4)], [[9092, 9094], [9093]]);
    const { nodes } = await labStatus(name);
    const leaders = nodes.filter(({ health }) => health.leader === true);
    assert.deepEqual(
      leaders.map(({ roles }) => roles.join()),
      ['controller'],
    );
    assert.deepEqual(
      nodes.map(({ health }) => health.registered),
      [true, true, null, null, null],
    );
    const log = readFileSync(`${nodes[0]?.logDirectory}/broker.log`, 'utf8');
    assert.match(log, new RegExp(`Kafka version: ${other ?? '4.1.0'}`));
  });
});
