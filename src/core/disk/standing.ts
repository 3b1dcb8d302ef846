import { sameJson } from '../base/canonical-json.ts';
import type { Problem } from '../base/problem.ts';
import { inForce } from './rule.ts';
import type { SingleFault, Terms } from './single.ts';
import type { DiskSpecification, Fault } from './specification.ts';

/** Why a fault stands no more. */
export type EndedBy = 'request' | 'deadline' | 'lease';

/** The owner of the faults of a specification that was set as a whole. */
export const SPECIFICATION = 'specification';

/** A fault where it stands. Instants are the caller's clock, in milliseconds. */
export interface Standing {
  readonly id: string;
  /** None: it only keeps track of what is unsynced. */
  readonly fault: Fault | undefined;
  readonly seed: number;
  readonly owner: string;
  readonly tracks: boolean;
  /** Its place among the counters. */
  readonly place: number;
  readonly setAt: number;
  /** Infinity: never. */
  readonly deadlineAt: number;
  readonly leaseEndsAt: number;
}

/**
 * The faults of one mount: those of the specification, which is set as a whole, and those set one
 * by one, each with terms of its own. Each only ever replaces its own. An id stands once.
 */
export class StandingFaults {
  readonly #places: number;
  #specification: readonly Standing[] = [];
  readonly #single = new Map<string, Standing>();
  #lastPlace = -1;

  /** @param places how many counters there are. */
  constructor(places: number) {
    this.#places = places;
  }

  all(): Standing[] {
    return [...this.#specification, ...this.#single.values()];
  }

  find(id: string): Standing | undefined {
    return this.#single.get(id);
  }

  /** Replaces the specification's faults; one that stays word for word keeps its counters. */
  setSpecification(specification: DiskSpecification, now: number): Problem[] {
    const problems = specification.faults.flatMap(({ id }, index) =>
      this.#single.has(id)
        ? [{ path: `/faults/${index}/id`, message: `'${id}' stands already, set by itself` }]
        : [],
    );
    if (problems.length > 0) return problems;
    const seed = specification.seed ?? 0;
    const before = new Map(this.#specification.map((one) => [one.id, one]));
    const after: Standing[] = [];
    for (const fault of specification.faults) {
      const known = before.get(fault.id);
      if (known?.seed === seed && sameJson(known.fault, fault)) after.push(known);
      else {
        const place = this.#freePlace(after);
        if (place === undefined) return [full];
        after.push(standing(fault.id, fault, { seed, owner: SPECIFICATION, place, now }));
      }
    }
    this.#specification = after;
    return [];
  }

  /** Sets one fault; the same again renews its terms and keeps its counters. */
  set(id: string, single: SingleFault, now: number): Problem[] {
    if (this.#specification.some((one) => one.id === id)) {
      return [{ path: '/id', message: `'${id}' names a fault of the specification` }];
    }
    const known = this.#single.get(id);
    const { fault, seed, owner } = single;
    const stays =
      known?.seed === seed &&
      known.tracks === single.trackUnsynced &&
      sameJson(known.fault ?? {}, fault ?? {});
    if (stays) {
      this.#single.set(id, { ...known, owner, ...terms(single, now) });
      return [];
    }
    const place = this.#freePlace([]);
    if (place === undefined) return [full];
    const tracks = single.trackUnsynced;
    this.#single.set(id, {
      ...standing(id, fault, { seed, owner, place, now }),
      ...terms(single, now),
      tracks,
    });
    return [];
  }

  /** New terms from now on; what is left out stays as it was. @returns undefined: no such fault. */
  renew(id: string, given: Terms, now: number): Standing | undefined {
    const known = this.#single.get(id);
    if (known === undefined) return undefined;
    const { deadlineAt, leaseEndsAt } = terms(given, now);
    const renewed = {
      ...known,
      deadlineAt: given.deadlineMs === undefined ? known.deadlineAt : deadlineAt,
      leaseEndsAt: given.leaseMs === undefined ? known.leaseEndsAt : leaseEndsAt,
    };
    this.#single.set(id, renewed);
    return renewed;
  }

  remove(id: string): Standing | undefined {
    const known = this.#single.get(id);
    this.#single.delete(id);
    return known;
  }

  /** Takes away those whose time is over. */
  expire(now: number): { fault: Standing; endedBy: EndedBy }[] {
    const ended: { fault: Standing; endedBy: EndedBy }[] = [];
    for (const fault of this.#single.values()) {
      if (now < fault.deadlineAt && now < fault.leaseEndsAt) continue;
      ended.push({ fault, endedBy: now >= fault.deadlineAt ? 'deadline' : 'lease' });
      this.#single.delete(fault.id);
    }
    return ended;
  }

  /** When something next begins or ends by itself; Infinity where nothing does. */
  nextChange(now: number): number {
    let next = Infinity;
    for (const one of this.all()) {
      const { fromMs, toMs } = inForce(one.fault?.when);
      const instants = [one.setAt + fromMs, one.setAt + toMs, one.deadlineAt, one.leaseEndsAt];
      for (const at of instants) if (at > now) next = Math.min(next, at);
    }
    return next;
  }

  /** Not the one freed last: what is still under way counts there. */
  #freePlace(alsoTaken: readonly Standing[]): number | undefined {
    const taken = new Set([...this.all(), ...alsoTaken].map((one) => one.place));
    for (let step = 1; step <= this.#places; step++) {
      const place = (this.#lastPlace + step) % this.#places;
      if (taken.has(place)) continue;
      this.#lastPlace = place;
      return place;
    }
    return undefined;
  }
}

const full: Problem = { path: '/faults', message: 'too many faults at once: clear some first' };

function standing(
  id: string,
  fault: Fault | undefined,
  given: { seed: number; owner: string; place: number; now: number },
): Standing {
  const { seed, owner, place, now } = given;
  const never = { deadlineAt: Infinity, leaseEndsAt: Infinity };
  return { id, fault, seed, owner, place, setAt: now, tracks: false, ...never };
}

function terms(given: Terms, now: number): { deadlineAt: number; leaseEndsAt: number } {
  return {
    deadlineAt: now + (given.deadlineMs ?? Infinity),
    leaseEndsAt: now + (given.leaseMs ?? Infinity),
  };
}

/** Whether its `when` lets a fault apply at this instant. */
export function isInForce(one: Standing, now: number): boolean {
  const { fromMs, toMs } = inForce(one.fault?.when);
  return one.fault !== undefined && now - one.setAt >= fromMs && now - one.setAt < toMs;
}
