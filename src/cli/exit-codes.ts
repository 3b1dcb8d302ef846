/**
 * Exit codes. 0, 1 and 2 are verdicts (valid, invalid, unknown), so everything that is no verdict
 * takes its number from sysexits.h (BSD): a script can tell "Kafka lost data" from "wrong token".
 */
export const EXIT = {
  ok: 0,
  /** `doctor`: something is left on the node. */
  found: 1,
  /** The command line itself is wrong (EX_USAGE). */
  usage: 64,
  /** A document is wrong (EX_DATAERR). */
  data: 65,
  /** A file that was named is not there (EX_NOINPUT). */
  noInput: 66,
  /** A daemon does not answer, or a command is missing in this checkout (EX_UNAVAILABLE). */
  unavailable: 69,
  /** A bug of ours (EX_SOFTWARE). */
  bug: 70,
  /** The daemon refused: a conflict, a limit, a fault that failed (EX_TEMPFAIL). */
  refused: 75,
  /** Wrong or missing token, not root (EX_NOPERM). */
  permission: 77,
  /** Interrupted by Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;
