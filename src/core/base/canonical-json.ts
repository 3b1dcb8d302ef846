/** Any value JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * JSON with sorted keys and no spaces: the same value gives the same bytes everywhere (the idea of
 * RFC 8785, for values made by JSON.parse). Members that are undefined are left out. However deep
 * somebody nests what is written here, nothing is called within itself.
 */
export function canonicalJson(value: unknown): string {
  let text = '';
  const open: { text: string; value?: unknown }[] = [{ text: '', value }];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    text += part.text;
    if (!('value' in part)) continue;
    const parts = partsOf(part.value);
    if (typeof parts === 'string') text += parts;
    else for (const each of parts.reverse()) open.push(each);
  }
  return text;
}

/** What is written of a value: its text, or what stands before each value in it. */
function partsOf(value: unknown): string | { text: string; value?: unknown }[] {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) {
    const items = value.map((item: unknown, index) => ({
      text: index === 0 ? '[' : ',',
      value: item,
    }));
    return items.length === 0 ? '[]' : [...items, { text: ']' }];
  }
  const record = value as Record<string, unknown>;
  const names = Object.keys(record)
    .filter((name) => record[name] !== undefined)
    .sort();
  if (names.length === 0) return '{}';
  const members = names.map((name, index) => ({
    text: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
    value: record[name],
  }));
  return [...members, { text: '}' }];
}

/** Whether two JSON values say the same. */
export function sameJson(left: unknown, right: unknown): boolean {
  return canonicalJson(left) === canonicalJson(right);
}
