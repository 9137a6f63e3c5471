"""The groups, attributes and lists of a Liberty file, as they stand in it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

#: Groups and attributes of the longest file that is read.
STATEMENTS = 1_000_000

_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*', re.DOTALL)
_HEAD = re.compile(r"[\s;]*(?:(\})|([\w.\[\]$-]+)\s*([(:]))")
_ARGUMENTS = re.compile(r'((?:"[^"]*"|[^()"])*)\)\s*(\{)?')
_VALUE = re.compile(r'\s*(?:"([^"]*)"|([^;\n}"]*))[^;\n}]*')
_BRACE = re.compile(r'"[^"]*"|[{}]')


@dataclass
class Group:
    """A group: ``kind (names) { ... }``.

    Attributes
    ----------
    kind, names
        What stands before the brace.
    values
        Its attributes ``name : value``; of a name that stands twice the last.
    lists
        Its attributes ``name (text)``, the text as it is.
    groups
        The groups in it that were not skipped.
    """

    kind: str
    names: list[str]
    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    def of(self, *kinds: str) -> list["Group"]:
        """The groups in it of some kinds."""
        return [group for group in self.groups if group.kind in kinds]


def parse(text: str, skipped: Callable[[str, str], bool]) -> Group:
    """The outermost group of a file's text, with all in it but the groups for which ``skipped(kind, name)``.

    Raises
    ------
    ValueError
        Where the text is not of this form.
    """
    text = _COMMENT.sub(_uncommented, text).replace("\\\n", " ")
    stack: list[Group] = []
    place = 0
    for _ in range(STATEMENTS):
        head = _HEAD.match(text, place)
        if head is None:
            line = text.count("\n", 0, place) + 1
            unclosed = f"group {stack[-1].kind[:40]!r} is not closed, or " if stack else ""
            raise ValueError(f"{unclosed}line {line} is no statement")
        place = head.end()
        if head[1]:  # }
            if not stack:
                raise ValueError("a group is closed that was not opened")
            group = stack.pop()
            if not stack:
                return group
        elif head[3] == ":":
            value = _VALUE.match(text, place)
            if value is None or not stack:
                raise ValueError(f"attribute {head[2][:40]!r} has no value")
            stack[-1].values[head[2]] = value[1] if value[1] is not None else value[2].strip()
            place = value.end()
        else:
            arguments = _ARGUMENTS.match(text, place)
            if arguments is None:
                raise ValueError(f"{head[2][:40]!r} has no closing parenthesis")
            place = arguments.end()
            if not arguments[2]:
                if stack:
                    stack[-1].lists[head[2]] = arguments[1]
                continue
            names = [name.strip().strip('"') for name in arguments[1].split(",")]
            if skipped(head[2], names[0]):
                place = _after_group(text, place)
                continue
            group = Group(head[2], names)
            if stack:
                stack[-1].groups.append(group)
            stack.append(group)
    raise ValueError(f"it has more than {STATEMENTS:,} groups and attributes")


def _uncommented(match: re.Match[str]) -> str:
    return match[0] if match[0][0] == '"' else " "


def _after_group(text: str, place: int) -> int:
    depth = 1
    for match in _BRACE.finditer(text, place):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth:
            return match.end()
    raise ValueError("a group is not closed: it is truncated")
