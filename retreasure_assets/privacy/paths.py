"""Dotted paths as a tree, so that one walk through a record serves them all.

What belongs here: the tree. What does not: walking records (masking.py, shapes.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retreasure_assets.entities import Mask

#: What a captured value can be: identifiers are text or whole numbers.
Scalar = str | int | None


@dataclass(slots=True)
class Node:
    """One step of one or several paths.

    Args:
        mask: how the value here is masked.
        capture: the place in the captured values where the value here goes.
        fields: steps into an object.
        items: the step into each element of a list.
        personal: whether a mask is here or below.
    """

    mask: Mask | None = None
    capture: int | None = None
    fields: dict[str, Node] = field(default_factory=dict)
    items: Node | None = None
    personal: bool = False

    @property
    def leaf(self) -> bool:
        """Whether no path goes on from here."""
        return not self.fields and self.items is None


def build(masks: Mapping[str, Mask], capture: Sequence[str]) -> Node:
    """The tree of all paths.

    Args:
        masks: path -> mask. Paths are dotted; ``[]`` after a name stands for each element of a list.
        capture: paths whose values are wanted; a path may not be given twice.
    """
    root = Node()
    for path, mask in masks.items():
        nodes = _descend(root, path)
        nodes[-1].mask = mask
        for node in nodes:
            node.personal = True
    for place, path in enumerate(capture):
        _descend(root, path)[-1].capture = place
    return root


def _descend(root: Node, path: str) -> list[Node]:
    nodes = [root]
    for part in path.split("."):
        name = part.rstrip("[]")
        node = nodes[-1].fields.setdefault(name, Node())
        nodes.append(node)
        for _ in range((len(part) - len(name)) // 2):
            node.items = node.items or Node()
            node = node.items
            nodes.append(node)
    return nodes
