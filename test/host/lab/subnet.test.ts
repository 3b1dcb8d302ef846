import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  freeSubnet,
  hostLink,
  overlaps,
  subnetAddress,
  subnetAddress6,
  SUBNETS,
} from '../../../src/host/lab/subnet.ts';

test('a subnet has an address, a spelling for IPv6 and a link name the kernel takes', () => {
  assert.equal(subnetAddress(0, 1), '198.18.0.1');
  assert.equal(subnetAddress(511, 12), '198.19.255.12');
  assert.equal(subnetAddress6(0, 1), 'fd00:198:18:1000::1');
  assert.equal(subnetAddress6(300, 1), 'fd00:198:19:1044::1');
  assert.ok(hostLink(SUBNETS - 1).length <= 15);
});

test('a network overlaps the /24 it lies in, holds, or is', () => {
  const table: [network: string, index: number, expected: boolean][] = [
    ['198.18.5.77', 5, true],
    ['198.18.5.128/25', 5, true],
    ['198.18.5.0/24', 5, true],
    ['198.18.5.0/24', 6, false],
    ['198.18.4.0/23', 5, true],
    ['198.18.0.0/15', 511, true],
    ['198.19.0.0/16', 255, false],
    ['198.19.0.0/16', 256, true],
    ['10.0.0.0/8', 0, false],
    ['0.0.0.0/0', 0, true],
    ['fd00::/8', 0, false],
  ];
  for (const [network, index, expected] of table) {
    assert.equal(overlaps(network, index), expected, `${network} and subnet ${index}`);
  }
});

test('the first free subnet is taken, and none when all are in use', () => {
  assert.equal(freeSubnet([]), 0);
  assert.equal(freeSubnet(['198.18.0.1/24', '198.18.1.0/24', '198.18.3.0/24']), 2);
  assert.equal(freeSubnet(['198.18.2.0/24'], 2), 3);
  assert.equal(freeSubnet(['198.18.0.0/15']), undefined);
});
