import { AGENT_ROUTES } from '../../core/model/api.ts';
import type { Handler } from '../http/handler.ts';

/** Comes every few seconds, and changes nothing that its faults do not say. */
const UNREMARKABLE = ['renewLeases', 'link'];

/** Every request that may change something leaves a line: who, from where, what. */
export function audited(
  handlers: Readonly<Record<string, Handler>>,
  logger: { info(data: object, message: string): void },
): Record<string, Handler> {
  const wrapped: Record<string, Handler> = { ...handlers };
  for (const { name, access } of AGENT_ROUTES) {
    const handler = handlers[name];
    if (!handler || access !== 'operate' || UNREMARKABLE.includes(name)) continue;
    wrapped[name] = (request) => {
      const { identity, remote, params } = request;
      const id = params['id'] ?? (request.body as { id?: string } | undefined)?.id;
      logger.info({ by: identity.name, remote, request: name, id }, 'asked');
      return handler(request);
    };
  }
  return wrapped;
}
