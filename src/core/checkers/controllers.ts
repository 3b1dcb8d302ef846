import { Finding, type Checker } from './engine/checker.ts';

/**
 * A controller that lost its majority must resign: KRaft's leader does after one and a half fetch
 * timeouts (3 s by default). Two at once for longer than this are no hand-over (KAFKA-15489).
 */
const ALLOWED_NS = 10_000_000_000;
/**
 * Each is asked twice a second. One that was silent for longer may have been stopped: what it says the
 * moment it goes on it has not claimed meanwhile.
 */
const SILENCE_NS = 5_000_000_000;

/** A stretch in which a controller certainly took itself for the active one: between its answers. */
interface Claim {
  epoch: number;
  fromNs: number;
  toNs: number;
}

/** Two controllers are active at the same time, each in its own eyes. */
export const controllers: Checker = {
  name: 'controllers',
  summary: 'Two controllers each take themselves for the active one for longer than 10 s.',
  kinds: ['twoControllers'],
  begin({ header }) {
    const claims = new Map<string, Claim>();
    const found = new Finding();
    const told = new Set<string>();
    const silent = new Set(header.controllers);
    return {
      entry(entry) {
        if (entry.type === 'header' || entry.f !== 'controller') return;
        const { node, id, leader, epoch, startedNs, timeNs } = entry;
        silent.delete(node);
        if (leader !== id) {
          claims.delete(node);
          return;
        }
        const before = claims.get(node);
        const goesOn = before?.epoch === epoch && startedNs - before.toNs <= SILENCE_NS;
        const claim = goesOn
          ? { ...before, toNs: startedNs }
          : { epoch, fromNs: timeNs, toNs: timeNs };
        claims.set(node, claim);
        for (const [other, its] of claims) {
          if (other === node || its.epoch === epoch) continue;
          const bothNs = Math.min(claim.toNs, its.toNs) - Math.max(claim.fromNs, its.fromNs);
          const key = [`${node}@${epoch}`, `${other}@${its.epoch}`].sort().join(' ');
          if (bothNs < ALLOWED_NS || told.has(key)) continue;
          told.add(key);
          found.add(1, () => ({
            other,
            index: entry.index,
            timeNs,
            says: `${node} (epoch ${epoch}) and ${other} (epoch ${its.epoch}) are both active controllers, for over ${ALLOWED_NS / 1e9} s`,
          }));
        }
      },
      finish(report) {
        found.report(report, 'twoControllers');
        if (silent.size === 0) return;
        // It claimed nothing; what it took itself for, nobody knows.
        const isAll = silent.size === header.controllers?.length;
        const who = `controllers that never answered: ${[...silent].join(', ')}`;
        report.unknown(isAll ? 'no controller ever answered' : who);
      },
    };
  },
};
