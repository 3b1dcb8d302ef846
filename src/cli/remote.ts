import { HttpClient, ProblemError } from '../host/http-client.ts';
import { firstToken } from '../host/http/tokens.ts';
import { labNames } from '../host/lab/status.ts';
import { placeOf } from '../host/lab/place.ts';
import type { LabSize } from '../core/model/lab-layout.ts';
import { readRecord, sizeOf } from '../host/lab/record.ts';
import { CliError } from './cli-error.ts';
import type { CliContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import type { RemoteFlags } from './flags.ts';

/** Where a coordinator is, and what opens it. */
export interface Remote {
  url: string;
  tokenFile: string;
}

/** The coordinators of the labs on this machine. */
function labCoordinators(): (Remote & { lab: string })[] {
  return labNames().flatMap((lab) => {
    const place = placeOf(lab);
    const url = readRecord(place)?.coordinator?.url;
    return url === undefined ? [] : [{ lab, url, tokenFile: place.tokenFile }];
  });
}

/** The lab of this machine that a coordinator belongs to. */
export function labOf(url: string): { name: string; size: LabSize } | undefined {
  for (const name of labNames()) {
    const record = readRecord(placeOf(name));
    if (record?.coordinator?.url === url.replace(/\/$/, '')) return { name, size: sizeOf(record) };
  }
  return undefined;
}

/** @throws CliError where it is no address of a daemon. */
function checkUrl(url: string): void {
  const { protocol } = URL.parse(url) ?? {};
  if (protocol === 'http:' || protocol === 'https:') return;
  throw new CliError(`'${url}' is not the URL of a coordinator`, {
    exitCode: EXIT.usage,
    remedy: 'as in --coordinator http://127.0.0.1:7700',
  });
}

/**
 * The coordinator that is meant: by flag, by environment, or that of the only lab here.
 * @throws CliError where none is named, several could be meant, or it is no URL.
 */
export function findRemote(context: CliContext, flags: RemoteFlags): Remote {
  const { env } = context.process;
  const url = flags.coordinator ?? env['FAULTLINE_COORDINATOR'];
  const tokenFile = flags.tokenFile ?? env['FAULTLINE_TOKEN_FILE'];
  const labs = labCoordinators();
  if (url !== undefined) {
    checkUrl(url);
    const ofLab = labs.find((lab) => lab.url === url.replace(/\/$/, ''))?.tokenFile;
    const known = tokenFile ?? ofLab;
    if (known !== undefined) return { url, tokenFile: known };
    throw new CliError(`no token for the coordinator at ${url}`, {
      exitCode: EXIT.permission,
      remedy: 'name its token file: --token-file FILE, or FAULTLINE_TOKEN_FILE',
    });
  }
  const [only, another] = labs;
  if (only !== undefined && another === undefined) {
    return { url: only.url, tokenFile: tokenFile ?? only.tokenFile };
  }
  const names = labs.map((lab) => `${lab.lab} (${lab.url})`).join(', ');
  throw new CliError(
    only === undefined
      ? 'no coordinator is named, and no lab runs on this machine'
      : `no coordinator is named, and several labs run here: ${names}`,
    {
      exitCode: EXIT.usage,
      remedy: "--coordinator URL, FAULTLINE_COORDINATOR, or 'faultline lab up'",
    },
  );
}

const EXIT_OF_STATUS: Readonly<Record<number, number>> = {
  400: EXIT.data,
  401: EXIT.permission,
  403: EXIT.permission,
  404: EXIT.noInput,
  409: EXIT.refused,
  422: EXIT.data,
};

/** What a daemon answered, in the words of the command line. */
function asCliError(error: unknown, url: string): unknown {
  if (!(error instanceof ProblemError)) return error;
  const { details, status } = error;
  const options: ConstructorParameters<typeof CliError>[1] = {
    exitCode: EXIT_OF_STATUS[status] ?? EXIT.unavailable,
    problems: details.problems ?? [],
    cause: error,
  };
  if (status === 401) options.remedy = `is this the token of ${url}? --token-file names another`;
  const { conflictsWith } = details;
  if (conflictsWith !== undefined) options.remedy = `it stands against '${conflictsWith}'`;
  return new CliError(details.detail, options);
}

/** Talks to the coordinator that is meant; what it refuses comes out as CliError. */
export async function withRemote<T>(
  context: CliContext,
  flags: RemoteFlags,
  work: (client: HttpClient) => Promise<T>,
): Promise<T> {
  const remote = findRemote(context, flags);
  const client = new HttpClient({ url: remote.url, token: firstToken(remote.tokenFile) });
  try {
    return await work(client);
  } catch (error) {
    throw asCliError(error, remote.url);
  }
}
