"""What the exporters do to a graph before it is written; the running system does not need it."""

from __future__ import annotations

import onnx


def forget_origin(model: onnx.ModelProto) -> None:
    """Drop the stack traces that torch leaves in a graph: they name folders of this machine.

    The model's own metadata (its version) stays, and so does everything that computes.
    """
    _forget_in_graph(model.graph)
    for function in model.functions:
        _forget(function)
        for node in function.node:
            _forget_in_node(node)


def _forget_in_graph(graph: onnx.GraphProto) -> None:
    _forget(graph)
    for part in (*graph.value_info, *graph.initializer, *graph.input, *graph.output):
        _forget(part)
    for node in graph.node:
        _forget_in_node(node)


def _forget_in_node(node: onnx.NodeProto) -> None:
    _forget(node)
    # The branches of an If and the body of a Loop are graphs of their own.
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            _forget_in_graph(graph)


def _forget(
    part: onnx.GraphProto | onnx.FunctionProto | onnx.NodeProto | onnx.ValueInfoProto,
) -> None:
    part.ClearField("metadata_props")
    part.ClearField("doc_string")
