import type { IncomingMessage } from 'node:http';

/** Why an agent does not take the link: what it answers in place of an upgrade. */
export async function readRefusal(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > 16_384) break;
    }
    const { detail } = JSON.parse(text) as { detail?: string };
    return detail ?? `answered ${response.statusCode}`;
  } catch {
    // Not problem details of ours: something else listens there.
    return `answered ${response.statusCode}: is that a Faultline agent?`;
  }
}
