import { Type } from 'typebox';
import type { Problem } from '../../base/problem.ts';
import { ERRNO, ERRNO_NAMES, type Errno } from '../../disk/errno.ts';
import { taskClass } from '../task-class.ts';

const FIELDS = Type.Object(
  {
    nodeNames: Type.Array(Type.String(), { maxItems: 1000, default: [] }),
    mountPath: Type.String({ maxLength: 1024, default: '' }),
    prefix: Type.String({ maxLength: 900, default: '' }),
    errorCode: Type.Integer({ default: 0 }),
  },
  { additionalProperties: false },
);

/** The sign does not matter to Kibosh, whose faults these were. */
function errnoOf(code: number): Errno | undefined {
  return ERRNO_NAMES.find((name) => ERRNO[name] === Math.abs(code));
}

function check({ mountPath, errorCode }: { mountPath: string; errorCode: number }): Problem[] {
  const problems: Problem[] = [];
  if (mountPath === '') problems.push({ path: '/mountPath', message: "'mountPath' is missing" });
  if (errnoOf(errorCode) === undefined)
    problems.push({
      path: '/errorCode',
      message: 'no error number that a disk can give',
      found: `${errorCode}`,
      expected: 'as 5 (EIO) or 28 (ENOSPC)',
    });
  return problems;
}

/** Every file whose path, seen from the mount, begins so. */
function globOf(prefix: string): string {
  const literal = prefix.replace(/^\//, '').replaceAll(/[\\*?[\]{},]/g, String.raw`\$&`);
  return `${literal}**`;
}

export const filesUnreadable = taskClass({
  name: 'files-unreadable',
  javaName: 'org.apache.kafka.trogdor.fault.FilesUnreadableFaultSpec',
  summary: 'Lets reads of files below a mount of ours fail.',
  fields: FIELDS,
  check,
  nodes: ({ nodeNames }) => nodeNames,
  faults: ({ mountPath, prefix, errorCode }, nodes) => [
    {
      kind: 'disk.error',
      params: {
        errno: errnoOf(errorCode),
        directory: mountPath,
        match: { path: [globOf(prefix)], op: ['read'] },
      },
      targets: nodes,
    },
  ],
  words: (taskId) => ({ active: `Added fault ${taskId}`, ended: `Removed fault ${taskId}` }),
});
