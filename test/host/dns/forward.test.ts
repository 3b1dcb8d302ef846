import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardUdp } from '../../../src/host/dns/responder.ts';

test('a resolver to which there is no way gives no answer, and harms nobody', async () => {
  // connect(2) refuses a broadcast address, as it does any address without a route.
  assert.equal(await forwardUdp(Buffer.alloc(12), '255.255.255.255'), undefined);
});
