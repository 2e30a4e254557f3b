"""The GraphQL documents, and those that follow from them: wider, continued and bulk ones.

What belongs here: text in, text out. What does not: sending any of it. One selection per entity is written down,
under queries/; everything else is derived, so that a field is added in one place. A contract test validates each
document, the derived ones too, against Shopify's schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    NameNode,
    SelectionNode,
    SelectionSetNode,
    parse,
    print_ast,
)

#: Where a list lies inside a node: keys from the node down, such as ("refunds", "refundLineItems").
ListPath = tuple[str, ...]

#: Types of the children in a bulk file -> the connection they come from.
BULK_CONNECTIONS: Mapping[str, str] = {
    "LineItem": "lineItems",
    "ShippingLine": "shippingLines",
    "ProductVariant": "variants",
    "MediaImage": "media",
    "Video": "media",
    "ExternalVideo": "media",
    "Model3d": "media",
    "Metafield": "metafields",
}


@dataclass(frozen=True, slots=True)
class Nested:
    """One list inside a node.

    Args:
        size: how many elements the document asks for.
        pageable: a connection directly on the node that says whether it goes on, so that it can be continued.
    """

    size: int
    pageable: bool


@lru_cache
def text(name: str) -> str:
    """The document queries/<name>.graphql with the fragments that it spreads."""
    folder = files(__package__) / "queries"
    document = (folder / f"{name}.graphql").read_text()
    for fragment, file in (("OrderFields", "order_fields"), ("ProductFields", "product_fields")):
        if f"...{fragment}" in document:
            document += (folder / f"{file}.graphql").read_text()
    return document


@lru_cache
def nested_lists(fields: str) -> Mapping[ListPath, Nested]:
    """Every list with a fixed size in a node's selection.

    Args:
        fields: the file with the node's fragment, such as ``order_fields``.
    """
    found: dict[ListPath, Nested] = {}

    def walk(selection: SelectionSetNode, path: ListPath) -> None:
        for node in selection.selections:
            if isinstance(node, InlineFragmentNode):
                walk(node.selection_set, path)
            if not isinstance(node, FieldNode) or node.selection_set is None:
                continue
            here = (*path, node.name.value)
            inner = _field(node.selection_set, "nodes")
            if (size := _size(node)) is not None:
                info = _field(node.selection_set, "pageInfo")
                found[here] = Nested(size, pageable=info is not None and not path)
            walk((inner.selection_set if inner else None) or node.selection_set, here)

    walk(_selection(fields), ())
    return found


def by_id(entity: str, sizes: Mapping[ListPath, int]) -> str:
    """The document that fetches nodes by id, with other sizes for some lists.

    Args:
        entity: ``orders`` or ``products``.
        sizes: elements to ask for, for the lists that need another number.
    """
    document = text(f"{entity}_by_id")
    if not sizes:
        return document
    fields = f"{entity.removesuffix('s')}_fields"
    head = document[: document.index("fragment ")]
    kind = _fragments(fields)[0].type_condition.name.value
    head = head.replace(f"...{kind}Fields", f"... on {kind} {print_ast(_resized(_selection(fields), (), sizes))}")
    return head


def continuation(fields: str, connection: str) -> str:
    """The document that pages one connection of one node further: variables ``id``, ``first``, ``after``."""
    fragment = _fragments(fields)[0]
    field = _field(_selection(fields), connection)
    if field is None or field.selection_set is None:
        raise KeyError(connection)
    inner = print_ast(field.selection_set)
    kept = "".join(f", {print_ast(argument)}" for argument in field.arguments if argument.name.value != "first")
    return (
        "query Continuation($id: ID!, $first: Int!, $after: String!) {\n"
        f"nodes(ids: [$id]) {{ ... on {fragment.type_condition.name.value} {{\n"
        f"id updatedAt {connection}(first: $first, after: $after{kept}) {inner}\n}} }} }}"
    )


def bulk_query(entity: str, query: str) -> str:
    """The query for a bulk operation over all nodes that match ``query``.

    Same selection as the paged document, in the form that bulk operations take: ``edges { node }``, no sizes, no
    page information, no fragments, and no connection below a plain field, which Shopify refuses inside lists
    (so a refund comes without its lines, and refunded orders are fetched by id). Every child says its type,
    which tells the connection it belongs to.
    """
    selection = print_ast(_for_bulk(_selection(f"{entity.removesuffix('s')}_fields"), root=True))
    # A search string holds dates and operators only; it is ours, never a user's.
    return f'{{ {entity}(query: "{query}") {{ edges {{ node {selection} }} }} }}'


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a node: whether a connection hangs there, and whether that says if it goes on."""

    connection: bool
    page_info: bool


@lru_cache
def response_keys(fields: str) -> Mapping[str, Key]:
    """The keys of a node in the order of the selection."""
    keys: dict[str, Key] = {}
    for node in _selection(fields).selections:
        if isinstance(node, FieldNode):
            inner = node.selection_set
            keys[node.name.value] = Key(
                connection=inner is not None and _field(inner, "nodes") is not None,
                page_info=inner is not None and _field(inner, "pageInfo") is not None,
            )
    return keys


@lru_cache
def _fragments(fields: str) -> list[FragmentDefinitionNode]:
    """The fragments of a file; the node's own comes first."""
    return [node for node in parse(text(fields)).definitions if isinstance(node, FragmentDefinitionNode)]


@lru_cache
def _selection(fields: str) -> SelectionSetNode:
    """A fragment's selection with every spread written out."""
    fragments = {node.name.value: node.selection_set for node in _fragments(fields)}

    def inline(selection: SelectionSetNode) -> SelectionSetNode:
        out: list[SelectionNode] = []
        for node in selection.selections:
            if isinstance(node, FragmentSpreadNode):
                out.extend(inline(fragments[node.name.value]).selections)
            elif isinstance(node, FieldNode) and node.selection_set is not None:
                out.append(_with_selection(node, inline(node.selection_set)))
            else:
                out.append(node)
        return SelectionSetNode(selections=tuple(out))

    return inline(_fragments(fields)[0].selection_set)


def _resized(selection: SelectionSetNode, path: ListPath, sizes: Mapping[ListPath, int]) -> SelectionSetNode:
    out: list[SelectionNode] = []
    for node in selection.selections:
        if isinstance(node, FieldNode) and node.selection_set is not None:
            # "nodes" is no step of a path: lists are named by the field that holds them.
            here = path if node.name.value == "nodes" else (*path, node.name.value)
            arguments = node.arguments
            if here in sizes and node.name.value != "nodes":
                first = ArgumentNode(name=NameNode(value="first"), value=IntValueNode(value=str(sizes[here])))
                arguments = (first, *(argument for argument in arguments if argument.name.value != "first"))
            out.append(_with_selection(node, _resized(node.selection_set, here, sizes), arguments))
        else:
            out.append(node)
    return SelectionSetNode(selections=tuple(out))


def _for_bulk(selection: SelectionSetNode, *, root: bool) -> SelectionSetNode:
    out: list[SelectionNode] = []
    for node in selection.selections:
        if not isinstance(node, FieldNode) or node.selection_set is None:
            out.append(node)
            continue
        inner = _field(node.selection_set, "nodes")
        if inner is None or inner.selection_set is None:
            out.append(_with_selection(node, _for_bulk(node.selection_set, root=False)))
        elif root:
            children = _for_bulk(inner.selection_set, root=False).selections
            typed = SelectionSetNode(selections=(FieldNode(name=NameNode(value="__typename")), *children))
            leaf = FieldNode(name=NameNode(value="node"), arguments=(), directives=(), selection_set=typed)
            edges = FieldNode(
                name=NameNode(value="edges"),
                arguments=(),
                directives=(),
                selection_set=SelectionSetNode(selections=(leaf,)),
            )
            kept = tuple(argument for argument in node.arguments if argument.name.value != "first")
            out.append(_with_selection(node, SelectionSetNode(selections=(edges,)), kept))
    return SelectionSetNode(selections=tuple(out))


def _with_selection(
    node: FieldNode, selection: SelectionSetNode, arguments: tuple[ArgumentNode, ...] | None = None
) -> FieldNode:
    return FieldNode(
        alias=node.alias,
        name=node.name,
        arguments=node.arguments if arguments is None else arguments,
        directives=node.directives,
        selection_set=selection,
    )


def _field(selection: SelectionSetNode, name: str) -> FieldNode | None:
    for node in selection.selections:
        if isinstance(node, FieldNode) and node.name.value == name:
            return node
    return None


def _size(node: FieldNode) -> int | None:
    for argument in node.arguments:
        if argument.name.value == "first" and isinstance(argument.value, IntValueNode):
            return int(argument.value.value)
    return None
