import { trogdor } from '../cli/trogdor/main.ts';

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
process.exitCode = await trogdor(process.argv.slice(2), stop.signal);
