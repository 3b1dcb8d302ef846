import type { Problem } from '../../core/base/problem.ts';
import type { ProblemDetails } from '../../core/model/api.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

export interface HttpProblemOptions {
  problems?: readonly Problem[];
  /** The fault, run or node that stands in the way. */
  conflictsWith?: string;
  headers?: Readonly<Record<string, string>>;
}

/** An answer that is an error: thrown by handlers, sent as problem details (RFC 9457). */
export class HttpProblem extends Error {
  override name = 'HttpProblem';
  readonly status: number;
  readonly options: HttpProblemOptions;

  /** @param detail one sentence: what, why and, where there is one, the remedy. */
  constructor(status: number, detail: string, options: HttpProblemOptions = {}) {
    super(detail);
    this.status = status;
    this.options = options;
  }

  /** The document that is sent. */
  details(): ProblemDetails {
    const title = TITLES[this.status] ?? 'Error';
    const details: ProblemDetails = {
      type: `urn:faultline:problem:${title.toLowerCase().replaceAll(' ', '-')}`,
      title,
      status: this.status,
      detail: this.message,
    };
    if (this.options.problems !== undefined && this.options.problems.length > 0)
      details.problems = [...this.options.problems];
    if (this.options.conflictsWith !== undefined)
      details.conflictsWith = this.options.conflictsWith;
    return details;
  }
}

/** 422 with every problem of a document. */
export function unprocessable(problems: readonly Problem[]): HttpProblem {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return new HttpProblem(422, `${count} in the document`, { problems });
}
