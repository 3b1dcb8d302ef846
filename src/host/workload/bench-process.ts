/**
 * A bench makes few objects that last: a small nursery is enough, and its memory is to be small
 * (--expose-gc: what loading it took is given back).
 */
export const BENCH_FLAGS = ['--max-semi-space-size=1', '--expose-gc'] as const;

/** One arena of malloc(3) for all threads, which is smaller. */
export const BENCH_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const;
