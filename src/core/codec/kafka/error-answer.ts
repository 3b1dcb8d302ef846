import type { RequestHead } from './frame.ts';
import { messageOf, within, type Field } from './message.ts';
import { presetOf, type Struct, type Value } from './value.ts';

const FETCH = 1;

/** The array of a request that an array of its response answers, where they have two names. */
const ASKED_BY: Readonly<Record<string, readonly string[]>> = {
  coordinators: ['coordinatorKeys'],
  groups: ['groups', 'groupIds'],
  memberResponses: ['members'],
  partitionResponses: ['partitionData'],
  partitions: ['partitions', 'partitionIndexes'],
  responses: ['topicData', 'topics', 'topicsWithNames', 'topicNames', 'resources'],
  results: ['topics', 'topicResults', 'groupsNames', 'resources'],
  resultsByPartition: ['partitions'],
  resultsByTopicV3AndBelow: ['v3AndBelowTopics'],
  resultsByTransaction: ['transactions'],
  topicResults: ['topics', 'topicResults'],
};

/** The field of a request's element that says which it is, in the response's words. */
const NAMED_BY: Readonly<Record<string, readonly string[]>> = {
  index: ['partitionIndex', 'partition'],
  name: ['topic'],
  partition: ['partitionIndex', 'index'],
  partitionIndex: ['partition', 'index'],
  topic: ['name'],
};

/** No offset, in an answer that brings none (Kafka's own INVALID_OFFSET). */
const NONE: Readonly<Record<string, Value>> = {
  baseOffset: -1n,
  highWatermark: -1n,
  logAppendTimeMs: -1n,
};

function askedFor(field: Field, request: Struct): Value[] {
  for (const name of [field.name, ...(ASKED_BY[field.name] ?? [])]) {
    const asked = request[name];
    if (Array.isArray(asked)) return asked;
  }
  return [];
}

/** What a response's element repeats of the request's, a struct or a bare key. */
function repeated(field: Field, asked: Value): Value | undefined {
  if (typeof field.type !== 'string' || field.array || field.name === 'errorCode') return undefined;
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) {
    const key = ['key', 'groupId', 'name', 'partitionIndex', 'index', 'partition'];
    const fits = typeof asked === (field.type === 'str' ? 'string' : 'number');
    return key.includes(field.name) && fits ? asked : undefined;
  }
  const struct = asked as Struct;
  const names = [field.name, ...(NAMED_BY[field.name] ?? [])];
  const name = names.find((one) => struct[one] !== undefined);
  const value = name === undefined ? undefined : struct[name];
  return typeof value === typeof presetOf(field) || value === null ? value : undefined;
}

function answerFields(
  fields: readonly Field[],
  version: number,
  asked: Value,
  code: number,
): Struct {
  const struct: Struct = {};
  const request = typeof asked === 'object' && asked !== null ? (asked as Struct) : {};
  for (const field of fields) {
    if (!within(field.versions, version)) continue;
    const { type } = field;
    if (field.name === 'errorCode') struct[field.name] = code;
    else if (field.array && typeof type !== 'string') {
      const list = askedFor(field, request);
      struct[field.name] = list.map((one) => answerFields(type, version, one, code));
    } else {
      struct[field.name] = repeated(field, asked) ?? NONE[field.name] ?? presetOf(field);
    }
  }
  return struct;
}

/**
 * The body with which a broker refuses a request: the code wherever the response has room for one,
 * and whatever was asked for named again. A Fetch carries its code at every topic-partition and not
 * above them, where clients take it for the end of their fetch session.
 * @param request the decoded body.
 * @returns undefined where this version's response is not known.
 */
export function errorAnswer(head: RequestHead, request: Struct, code: number): Struct | undefined {
  const message = messageOf(head.apiKey, 'response');
  if (message === undefined || !within(message.versions, head.version)) return undefined;
  const answer = answerFields(message.fields, head.version, request, code);
  if (head.apiKey === FETCH && (answer['responses'] as Value[]).length > 0) {
    answer['errorCode'] = 0;
  }
  return answer;
}

/** Whether an answer says this error code anywhere: not every response of Kafka's has a field for one. */
export function carriesCode(value: Value, code: number): boolean {
  if (Array.isArray(value)) return value.some((one) => carriesCode(one, code));
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  if (value['errorCode'] === code) return true;
  return Object.values(value).some((one) => carriesCode(one, code));
}
