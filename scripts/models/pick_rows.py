#!/usr/bin/env python3
"""Makes assets/models/minilm/model-int8.onnx from the model in the wheel.

    scripts/models/pick_rows.py model_int8.onnx assets/models/minilm/model-int8.onnx

The wheel's model turns each whole table of embeddings back into f32 and then picks a text's rows. A runtime does the
first as it loads, and holds 47 MB of which a text needs a few kB. Here the rows are picked first, and then turned into
f32 by the same two operations: the numbers are the same to the bit.
"""

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def pick_rows_first(model):
    """Rewrites Gather(Mul(Cast(codes), scales), rows) as Mul(Cast(Gather(codes, rows)), Gather(scales, rows))."""
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    users = [name for node in graph.node for name in node.input]
    gone, made = set(), {}
    for node in graph.node:
        widened = makers.get(node.input[0]) if node.op_type == "Gather" else None
        if widened is None or widened.op_type != "Mul" or users.count(node.input[0]) != 1:
            continue
        cast = makers[widened.input[0]]
        assert cast.op_type == "Cast", f"{node.name} picks from {cast.op_type}, not from integers"
        (codes,), (_, scales), (rows,), (out,) = cast.input, widened.input, node.input[1:], node.output
        gone |= {cast.output[0], widened.output[0]}
        made[out] = [
            helper.make_node("Gather", [codes, rows], [f"{out}_codes"], axis=0),
            helper.make_node("Gather", [scales, rows], [f"{out}_scales"], axis=0),
            helper.make_node("Cast", [f"{out}_codes"], [f"{out}_numbers"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", [f"{out}_numbers", f"{out}_scales"], [out]),
        ]
    nodes = [node for node in graph.node if node.output[0] not in gone]
    nodes = [new for node in nodes for new in made.get(node.output[0], [node])]
    del graph.node[:]
    graph.node.extend(nodes)
    return len(made)


def states(model, tokens):
    """The last hidden states of a text."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    ids = np.array([tokens], dtype=np.int64)
    given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    kinds = {value.name: value.type for value in session.get_inputs()}
    given = {name: given[name].astype(np.int32 if "int32" in kinds[name] else np.int64) for name in INPUTS}
    return session.run(["last_hidden_state"], given)[0]


def main():
    source, target = sys.argv[1:]
    model = onnx.load(source)
    print(f"{pick_rows_first(model)} tables are picked from before they are widened")
    onnx.checker.check_model(model)
    onnx.save(model, target)
    for tokens in ([101, 102], [101, 7592, 1010, 2088, 999, 102], [101, *range(2000, 2200), 102]):
        assert np.array_equal(states(source, tokens), states(target, tokens)), tokens
    print("the numbers are the same")


if __name__ == "__main__":
    main()
