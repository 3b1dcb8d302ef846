import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../core/base/failure.ts';
import { writeShapeTable } from '../../core/codec/nft-shape.ts';
import { minorsOn, readQdiscs, writeTree, type ShapeClass } from '../../core/codec/tc.ts';
import type { ShapeTable } from '../../core/model/act-shaping.ts';
import { stageOf } from '../../core/model/shape-stage.ts';
import { exec } from '../exec.ts';
import { TRIAL_TABLE } from './trial-table.ts';

const TIMEOUT_MS = 10_000;
const DEVICE = 'fl0';
const CHANCE = {
  ratio: { numerator: 1, denominator: 100 },
  correlation: { numerator: 1, denominator: 4 },
};

const TABLE: ShapeTable = {
  ...TRIAL_TABLE,
  devices: [DEVICE],
  shape: { rate: { bytesPerSecond: 125_000, burstBytes: 32_000, latencyUs: 500_000 } },
};

const RATED: ShapeClass = { minor: 0x11, stages: [stageOf(TABLE.shape)] };
/** All that netem is asked for, at once. */
const NETEM: ShapeClass = {
  minor: 0x12,
  stages: [
    stageOf({
      delay: {
        latencyUs: 1000,
        jitterUs: 100,
        distribution: 'normal',
        correlation: CHANCE.correlation,
      },
    }),
    stageOf({ loss: CHANCE }),
    stageOf({ duplicate: CHANCE }),
    stageOf({ corrupt: { ...CHANCE, bytes: 1, checksum: 'kept' } }),
  ],
};

/** A device, a tree, a table and, where it can be, netem: each argument is a file. */
const SCRIPT =
  `ip link add ${DEVICE} type veth peer name fl1 && ip link set ${DEVICE} up && ` +
  'tc -batch "$1" && nft -f "$2" && { tc -batch "$3" || true; } && tc -j qdisc show';

interface Found {
  met: boolean;
  why: string;
}

/** How packets can be shaped as they leave, tried in a network namespace of its own. */
export async function tryQdiscs(scratchDir: string): Promise<{ htb: Found; netem: Found }> {
  const dir = mkdtempSync(join(scratchDir, 'needs-'));
  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  try {
    const tree = writeTree(DEVICE, [RATED], []);
    const all = writeTree(DEVICE, [RATED, NETEM], []);
    const files = [
      write('tree', `${tree.join('\n')}\n`),
      write('table', writeShapeTable(TABLE, { slot: 0, indices: { nobody: 1 } })),
      write('netem', `${all.slice(tree.length).join('\n')}\n`),
    ];
    const argv = ['unshare', '--net', 'bash', '-c', SCRIPT, 'bash', ...files];
    const { stdout, stderr } = await exec(argv, { timeoutMs: TIMEOUT_MS });
    const there = minorsOn(readQdiscs(stdout), DEVICE);
    const found = (met: boolean, name: string): Found => ({
      met,
      why: met ? `${name} by tc, classes by nftables` : stderr.trim(),
    });
    return {
      htb: found(there.has(RATED.minor), 'htb'),
      netem: found(there.has(NETEM.minor), 'netem'),
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const none = { met: false, why: error.message };
    return { htb: none, netem: none };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
