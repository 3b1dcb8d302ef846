import { writeQueueRule } from '../../core/codec/nft-queue-rule.ts';
import { libc, openNetfilter } from './libc.ts';
import { limitReceive, request } from './request.ts';

/** Adds the rule by the xtables target. @returns undefined where it was done, or the errno's name. */
export function addQueueRule(table: string, chain: string, queue: number): string | undefined {
  const fd = openNetfilter();
  try {
    limitReceive(fd, 2_000);
    return request(fd, writeQueueRule(table, chain, queue), 2);
  } finally {
    libc.close(fd);
  }
}
