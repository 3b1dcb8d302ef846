import type { FaultKind } from '../../src/core/model/fault.ts';
import { PythonTypes, pascal, snake, type Schema } from './types.ts';

const HEADER = `# Made by tools/python-client.ts from the fault kinds. Do not edit.
"""A method for each fault kind: a fault in force while its block runs."""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Optional, TypedDict, Union

from .fault import ActiveFault, Targets
`;

/** What every fault takes, whatever its kind. */
const COMMON = ['targets', 'duration', 'lease', 'id', 'reason', 'override', 'wait'];
const COMMON_TYPES = `        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,`;
/** Of Python, as far as parameters could be called so. */
const RESERVED = ['from', 'in', 'is', 'not', 'with', 'as', 'if', 'for', 'class', 'lambda', 'kind'];

interface Parameter {
  python: string;
  wire: string;
  type: string;
}

function parametersOf(kind: FaultKind, types: PythonTypes): Parameter[] {
  // Typebox keeps its own marks in properties that JSON leaves out.
  const schema = JSON.parse(JSON.stringify(kind.params)) as Schema;
  return Object.entries(schema.properties ?? {}).map(([wire, part]) => {
    const name = snake(wire);
    const taken = COMMON.includes(name) || RESERVED.includes(name);
    const python = taken ? `${name}_` : name;
    const required = schema.required?.includes(wire) === true;
    const type = types.of(part, kind.kind.split('.').map(pascal).join('') + pascal(wire));
    return { python, wire, type: required ? type : `Optional[${type}] = None` };
  });
}

function methodOf(kind: FaultKind, types: PythonTypes): string {
  const parameters = parametersOf(kind, types);
  const own = parameters.map(({ python, type }) => `        ${python}: ${type},\n`).join('');
  const given = parameters.map(({ python, wire }) => `                "${wire}": ${python},\n`);
  const passed = COMMON.map((name) => `            ${name}=${name},\n`).join('');
  return `    def ${snake(kind.kind)}(
        self,
        *,
${own}${COMMON_TYPES}
    ) -> ActiveFault:
        """${kind.summary} (\`${kind.kind}\`)"""
        return self._fault(
            "${kind.kind}",
            {
${given.join('')}            },
${passed}        )
`;
}

/** The module of the kinds: a mixin with one method a kind. */
export function kindsModule(kinds: readonly FaultKind[]): string {
  const types = new PythonTypes();
  const methods = kinds.map((kind) => methodOf(kind, types));
  const table = kinds.map((kind) => `    "${snake(kind.kind)}": "${kind.kind}",`);
  return `${HEADER}
${types.classes.map((text) => `${text}\n`).join('\n')}
#: Method and fault kind.
KINDS = {
${table.join('\n')}
}


class Kinds:
    """Every fault kind as a context manager. Mixed into what knows a coordinator."""

    def _fault(self, kind: str, params: Dict[str, Any], **common: Any) -> ActiveFault:
        raise NotImplementedError

${methods.join('\n')}`;
}
