"""Reads the weights of a sequential model out of its ONNX file: constants by name. It runs no model.

Only what that takes of the format is read (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): float32
constants with raw data, also inside of branches.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Weights = dict[str, npt.NDArray[np.float32]]
_GRAPH_OF_MODEL, _NODE, _OUTPUT, _ATTRIBUTE, _TENSOR, _GRAPH = 7, 1, 2, 5, 5, 6
_DIMS, _TYPE, _RAW = 1, 2, 9
_FLOAT = 1


def read_weights(model: bytes) -> list[Weights]:
    """For each graph of the model that has any: its float constants, by the last parts of their names
    (`encoder.0.weight`). ValueError when the bytes are no such file."""
    try:
        graphs = [value for number, value in _fields(memoryview(model)) if number == _GRAPH_OF_MODEL]
        return [weights for graph in graphs for weights in _graph(_message(graph)) if weights]
    except (IndexError, TypeError) as error:
        raise ValueError("not an ONNX model") from error


def _graph(graph: memoryview) -> Iterator[Weights]:
    weights: Weights = {}
    for number, node in _fields(graph):
        if number != _NODE:
            continue
        name = ""
        for part, value in _fields(_message(node)):
            if part == _OUTPUT:
                name = bytes(_message(value)).decode()
            elif part == _ATTRIBUTE:
                for kind, content in _fields(_message(value)):
                    if kind == _TENSOR and not isinstance(content, int):
                        tensor = _tensor(content)
                        if tensor is not None:
                            weights[name.rpartition("__")[2]] = tensor
                    elif kind == _GRAPH and not isinstance(content, int):
                        yield from _graph(content)
    yield weights


def _tensor(tensor: memoryview) -> npt.NDArray[np.float32] | None:
    dims: list[int] = []
    kind, raw = 0, b""
    for number, value in _fields(tensor):
        if number == _DIMS:
            dims += [value] if isinstance(value, int) else _varints(value)
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif number == _RAW:
            raw = bytes(_message(value))
    return np.frombuffer(raw, "<f4").reshape(dims) if kind == _FLOAT and raw else None


def _message(value: memoryview | int) -> memoryview:
    if isinstance(value, int):
        raise TypeError("a number where a message belongs")
    return value


def _varints(data: memoryview) -> list[int]:
    at, values = 0, []
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """The fields of a message: numbers as they are, everything with a length as its bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                value, at = _varint(data, at)
                yield key >> 3, value
                continue
            case 1:
                size = 8
            case 2:
                size, at = _varint(data, at)
            case 5:
                size = 4
            case _:
                raise ValueError("not an ONNX model")
        if at + size > len(data):
            raise ValueError("the model is cut short")
        yield key >> 3, data[at : at + size]
        at += size
