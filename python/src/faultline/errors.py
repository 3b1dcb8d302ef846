"""What can go wrong, each with what is known of it."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional


class FaultlineError(Exception):
    """Anything that went wrong here."""


class Unreachable(FaultlineError):
    """No daemon answered. What was asked for may or may not have been done."""


class ApiError(FaultlineError):
    """The daemon refused a request (RFC 9457), with every problem of the document."""

    def __init__(self, status: int, details: Mapping[str, Any]) -> None:
        self.status = status
        self.details = dict(details)
        self.problems: List[Dict[str, Any]] = list(details.get("problems") or [])
        lines = ["%s (HTTP %d)" % (details.get("detail") or details.get("title"), status)]
        lines += ["  " + problem_line(problem) for problem in self.problems]
        super().__init__("\n".join(lines))


class FaultFailed(FaultlineError):
    """A fault did not bite, did not heal or ended early. ``fault`` holds its receipts."""

    def __init__(self, says: str, fault: Mapping[str, Any]) -> None:
        self.fault = dict(fault)
        super().__init__("%s\n%s" % (says, describe(fault)))


class NotClean(FaultlineError):
    """Something of a fault is left on a node."""


def problem_line(problem: Mapping[str, Any]) -> str:
    """One problem of a document, with its path and what was found and expected."""
    text = "%s: %s" % (problem.get("path") or "/", problem.get("message"))
    for word, says in (("found", "found"), ("expected", "expected"), ("nearMiss", "did you mean")):
        if problem.get(word) is not None:
            text += "; %s %s" % (says, problem[word])
    return text


def describe(fault: Mapping[str, Any]) -> str:
    """A fault and its receipts in lines that a log can hold."""
    ended = fault.get("endedBy")
    lines = [
        "%s '%s' is %s%s, effect %s, targets %s"
        % (
            fault.get("kind"),
            fault.get("id"),
            fault.get("state"),
            "" if ended is None else ", ended by %s" % ended,
            fault.get("effect"),
            ", ".join(fault.get("targets") or []) or "none",
        )
    ]
    lines += ["  " + problem_line(problem) for problem in fault.get("problems") or []]
    for name, node in sorted((fault.get("nodes") or {}).items()):
        lines += ["  %s: %s" % (name, line) for line in _node_lines(node)]
    return "\n".join(lines)


def _node_lines(node: Mapping[str, Any]) -> List[str]:
    ended: Optional[str] = node.get("endedBy")
    lines = ["%s%s" % (node.get("state"), "" if ended is None else ", ended by %s" % ended)]
    if node.get("error"):
        lines.append("error: %s" % node["error"])
    lines += [problem_line(problem) for problem in node.get("problems") or []]
    for undo in node.get("openUndos") or []:
        lines.append("NOT UNDONE: %(says)s (%(attempts)s attempts: %(lastError)s)" % undo)
    receipt = node.get("receipt")
    if receipt:
        lines.append("effect %s: %s" % (receipt.get("effect"), receipt.get("says")))
        lines += ["note: %s" % note for note in receipt.get("notes") or []]
        for when in ("before", "during", "after"):
            if receipt.get(when) is not None:
                lines.append("%s: %s" % (when, receipt[when]))
    return lines
