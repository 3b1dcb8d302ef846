/**
 * Elements without templates: text goes into text nodes and attributes only, so what a cluster
 * called its topics can never become markup.
 */
export type Child = Node | string | number | false | null | undefined;
type Attributes = Record<string, string | number | boolean | undefined>;

const SVG = 'http://www.w3.org/2000/svg';

function fill(element: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** An HTML element. */
export function html<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/** An SVG element. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(SVG, tag);
  fill(element, attributes, children);
  return element;
}

/** A table with its caption and headings; `narrow` columns hold numbers. */
export function table(
  caption: string,
  headings: readonly string[],
  rows: readonly HTMLTableRowElement[],
): HTMLElement {
  return html(
    'div',
    { class: 'table', tabindex: 0, role: 'region', 'aria-label': caption },
    html(
      'table',
      {},
      html('caption', {}, caption),
      html(
        'thead',
        {},
        html('tr', {}, ...headings.map((text) => html('th', { scope: 'col' }, text))),
      ),
      html('tbody', {}, ...rows),
    ),
  );
}

/** A row of plain cells; the first one heads it. */
export function row(...cells: Child[]): HTMLTableRowElement {
  const [first, ...rest] = cells;
  return html(
    'tr',
    {},
    html('th', { scope: 'row' }, first),
    ...rest.map((cell) => html('td', {}, cell)),
  );
}
