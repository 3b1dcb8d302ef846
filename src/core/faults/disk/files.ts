import { Type, type Static } from 'typebox';
import type { Problem } from '../../base/problem.ts';
import { parseGlob } from '../../disk/glob.ts';
import type { Match } from '../../disk/specification.ts';

interface Files {
  says: string;
  /** Below the directory of a topic-partition, or of the whole log directory. */
  names: readonly string[];
  in: 'topicPartition' | 'logDirectory';
}

/** The metadata log's own directory: what happens to it happens to the whole broker. */
const METADATA = '__cluster_metadata-*';

/** Kafka's files by what they are, so that a fault can meet one sort alone. */
export const PRESETS = {
  log: {
    says: 'the records of topic-partitions (*.log)',
    names: ['*.log'],
    in: 'topicPartition',
  },
  index: {
    says: 'offset indexes, which the broker maps into memory (*.index)',
    names: ['*.index'],
    in: 'topicPartition',
  },
  timeindex: {
    says: 'time indexes, mapped too (*.timeindex)',
    names: ['*.timeindex'],
    in: 'topicPartition',
  },
  txnindex: {
    says: 'indexes of aborted transactions (*.txnindex)',
    names: ['*.txnindex'],
    in: 'topicPartition',
  },
  snapshots: {
    says: 'snapshots of producer state (*.snapshot)',
    names: ['*.snapshot'],
    in: 'topicPartition',
  },
  checkpoints: {
    says: 'checkpoint files, each written to *.tmp and renamed',
    names: ['*-checkpoint', '*-checkpoint.tmp'],
    in: 'logDirectory',
  },
  'quorum-state': {
    says: "the vote of a controller's quorum",
    names: [`${METADATA}/quorum-state`, `${METADATA}/quorum-state.tmp`],
    in: 'logDirectory',
  },
  'metadata-log': {
    says: 'the metadata log and its snapshots',
    names: [`${METADATA}/*.log`, `${METADATA}/*.checkpoint*`],
    in: 'logDirectory',
  },
} as const satisfies Record<string, Files>;

export type Preset = keyof typeof PRESETS;
const NAMES = Object.keys(PRESETS) as [Preset, ...Preset[]];

/** The fields with which a disk kind names files in Kafka's words. */
export const filesFields = {
  preset: Type.Optional(
    Type.Enum(NAMES, { description: "files by what they are, in place of 'match.path'" }),
  ),
  topicPartitions: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 260 }), {
      minItems: 1,
      maxItems: 100,
      description: "globs on names such as 'orders-3'; default: all, but for the metadata log",
    }),
  ),
};
const Fields = Type.Object(filesFields);
export type FilesChosen = Static<typeof Fields>;

/** What a schema can't say about the choice of files. */
export function checkFiles(chosen: FilesChosen, match: Match | undefined): Problem[] {
  const { preset, topicPartitions } = chosen;
  const problems: Problem[] = [];
  if (preset !== undefined && match?.path !== undefined) {
    problems.push({
      path: '/match/path',
      message: `'preset' names the files already`,
      expected: `'preset' or 'match.path', not both`,
    });
  }
  for (const [index, text] of (topicPartitions ?? []).entries()) {
    const glob = parseGlob(text);
    const wrong = 'error' in glob ? glob.error : text.includes('/') ? `'/' is in no name` : '';
    if (wrong === '') continue;
    problems.push({ path: `/topicPartitions/${index}`, message: wrong, found: text });
  }
  if (topicPartitions === undefined || problems.length > 0) return problems;
  if (preset === undefined) {
    return [{ path: '/topicPartitions', message: `says which files only together with 'preset'` }];
  }
  if (PRESETS[preset].in === 'logDirectory') {
    const message = `'${preset}' files belong to no topic-partition`;
    return [{ path: '/topicPartitions', message }];
  }
  return problems;
}

/** The match with the preset's globs in it. They hold wherever in the mount the log directory is. */
export function matchOf(chosen: FilesChosen, match: Match = {}): Match {
  const { preset, topicPartitions } = chosen;
  if (preset === undefined) return match;
  const files: Files = PRESETS[preset];
  if (files.in === 'logDirectory') {
    return { ...match, path: files.names.map((name) => `**/${name}`) };
  }
  const directories = topicPartitions ?? ['*'];
  const path = directories.flatMap((one) => files.names.map((name) => `**/${one}/${name}`));
  const notPath = topicPartitions === undefined ? [`**/${METADATA}/**`] : [];
  const excluded = [...(match.notPath ?? []), ...notPath];
  return { ...match, path, ...(excluded.length > 0 ? { notPath: excluded } : {}) };
}
