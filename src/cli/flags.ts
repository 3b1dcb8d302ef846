/** Flags that several commands have; the same word always means the same. */
export const jsonFlag = {
  kind: 'boolean',
  brief: 'print JSON on standard output, for scripts',
  default: false,
  withNegated: false,
} as const;

const text = (input: string): string => input;

export const remoteFlags = {
  coordinator: {
    kind: 'parsed',
    parse: text,
    optional: true,
    placeholder: 'URL',
    brief: 'the coordinator; default FAULTLINE_COORDINATOR, or that of the only lab',
  },
  tokenFile: {
    kind: 'parsed',
    parse: text,
    optional: true,
    placeholder: 'FILE',
    brief: "file with the token; default FAULTLINE_TOKEN_FILE, or the lab's",
  },
} as const;

export interface RemoteFlags {
  readonly coordinator?: string;
  readonly tokenFile?: string;
}

/** A text flag that may be left out. */
export function textFlag(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: text, optional: true, placeholder, brief } as const;
}

/** A yes-or-no flag that is off unless given. */
export function switchFlag(brief: string) {
  return { kind: 'boolean', default: false, withNegated: false, brief } as const;
}

/** One positional argument that must be there. */
export function argument(placeholder: string, brief: string) {
  return { brief, placeholder, parse: text } as const;
}

/** A flag whose value is a 64-bit seed, as decimal text. */
export function seedFlag(brief: string) {
  return { kind: 'parsed', parse: parseSeed, optional: true, placeholder: 'N', brief } as const;
}

/** @throws SyntaxError with what a seed is. */
export function parseSeed(input: string): string {
  if (!/^[0-9]{1,20}$/.test(input) || BigInt(input) > 0xffffffffffffffffn) {
    throw new SyntaxError('a seed is a whole number from 0 to 18446744073709551615');
  }
  return BigInt(input).toString();
}
