import { createHash } from 'node:crypto';
import type { WebBundle } from './bundle.ts';

/**
 * JSON that can stand in a script element: no character can end the element or begin a comment
 * (HTML, 4.12.1.3, restrictions for contents of script elements), none is a line end to old engines.
 */
export function embeddedJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Source expression of a Content-Security-Policy for exactly this text. */
function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/**
 * One HTML file with everything in it. Its policy lets only this very script and style sheet run
 * and nothing be loaded from anywhere, so data that got out of its place could still do nothing.
 */
export function page(title: string, bundle: WebBundle, data: unknown): string {
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(bundle.script)}`,
    `style-src ${hashSource(bundle.style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>${bundle.style}</style>
</head>
<body>
<noscript>This page is drawn by the script inside this file. Nothing is loaded.</noscript>
<div id="report"></div>
<script type="application/json" id="report-data">${embeddedJson(data)}</script>
<script>${bundle.script}</script>
</body>
</html>
`;
}
