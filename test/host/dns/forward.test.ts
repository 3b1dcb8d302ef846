import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { forwardUdp } from '../../../src/host/dns/responder.ts';

test('a resolver to which there is no way gives no answer, and harms nobody', async () => {
  // connect(2) refuses a broadcast address, as it does any address without a route.
  assert.equal(await forwardUdp(Buffer.alloc(12), '255.255.255.255'), undefined);
});

test('a query that may not be sent is over at once: the next resolver is asked', async () => {
  // Its end must not come by the time it waits for an answer.
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    // Longer than any datagram: EMSGSIZE, as a rule that drops what is sent gives EPERM.
    assert.equal(await forwardUdp(Buffer.alloc(70_000), '127.0.0.1'), undefined);
  } finally {
    mock.timers.reset();
  }
});
