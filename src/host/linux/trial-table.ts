/**
 * What every table of a trial has: the smallest that has all that a real one has. Its addresses are
 * those kept for documents (RFC 5737, RFC 3849), so that it could meet nobody.
 */
export const TRIAL_TABLE = {
  table: 'faultline-probe',
  faultId: 'probe',
  peers: [
    {
      name: 'nobody',
      ipv4: ['192.0.2.1'],
      ipv6: ['2001:db8::1'],
      agentPort: 1,
      ports: { local: [1, 2], remote: [3] },
    },
  ],
  control: { coordinatorAddresses: ['192.0.2.2', '2001:db8::2'], agentPort: 1 },
  protocol: 'all' as const,
  timeoutMs: 60_000,
};
