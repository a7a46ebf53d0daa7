#!/usr/bin/env python3
"""Makes assets/models/efficientnet-lite0/model-int8.onnx from the model in f32.

    scripts/models/quantise.py efficientnet-lite0.onnx assets/models/efficientnet-lite0/model-int8.onnx

Weights alone become integers of eight bits, each output channel with a scale of its own; the runtime turns
them back into f32 as it loads, so that a picture takes as long as before. Left as they are: the depthwise
convolutions, which have few weights, and as many of the layers that lose most as fit into SPARE bytes.
"""

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

# The five highest logits of the model in f32 for the picture of check_picture().
EXPECTED = {818: 6.8078, 470: 4.9845, 908: 4.5527, 782: 4.3809, 437: 4.2916}
# How many bytes may be spent on weights that stay in f32, beyond the depthwise ones.
SPARE = 900_000


def check_picture():
    """x[c] = a, a upside down, 255 - a, where a[i][j] = (i + j) mod 256; then (x - 127) / 128."""
    a = (np.add.outer(np.arange(224), np.arange(224)) % 256).astype(np.float32)
    return (np.stack([a, a[::-1], 255 - a])[None] - 127) / 128


def logits(model):
    """Of the check picture, by a model that is a path or bytes."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"image": check_picture().astype(np.float32)})[0][0]


def quantise_rows(rows):
    """Codes and scales, one a row. Of several scales the one with the least squared error is taken."""
    largest = np.maximum(np.abs(rows).max(axis=1), 1e-12)
    best = None
    for share in np.linspace(0.7, 1.0, 13):
        scale = (largest * share / 127).astype(np.float32)
        codes = np.clip(np.round(rows / scale[:, None]), -127, 127)
        error = ((codes * scale[:, None] - rows) ** 2).sum(axis=1)
        if best is None:
            best = [error, scale, codes]
        else:
            better = error < best[0]
            best[0] = np.where(better, error, best[0])
            best[1] = np.where(better, scale, best[1])
            best[2] = np.where(better[:, None], codes, best[2])
    return best[2].astype(np.int8), best[1].astype(np.float32)


def dense_weights(model):
    """The names of the weights of all layers but the depthwise convolutions, with their sizes."""
    dims = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    nodes = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm")]
    dense = [node.input[1] for node in nodes if node.op_type == "Gemm" or dims[node.input[1]][1] > 1]
    return {name: int(np.prod(dims[name])) for name in dense}


def quantise(model, names):
    """Replaces these weights by codes and what turns them back."""
    initializers, nodes = [], []
    for tensor in model.graph.initializer:
        if tensor.name not in names:
            initializers.append(tensor)
            continue
        weights = numpy_helper.to_array(tensor)
        codes, scales = quantise_rows(weights.reshape(weights.shape[0], -1))
        inputs = [f"{tensor.name}_{part}" for part in ("codes", "scales", "zeros")]
        parts = [codes.reshape(weights.shape), scales, np.zeros(len(scales), np.int8)]
        initializers += [numpy_helper.from_array(part, name) for part, name in zip(parts, inputs)]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [tensor.name], axis=0))
    nodes += list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(initializers)
    model.graph.node.extend(nodes)


def worth_keeping(source, exact, sizes):
    """The weights that lose most for their size when they alone are quantised, as far as SPARE goes."""
    loss = {}
    for name, size in sizes.items():
        model = onnx.load(source)
        quantise(model, {name})
        loss[name] = np.abs(logits(model.SerializeToString()) - exact).mean() ** 2 / size
    kept, bytes_more = set(), 0
    for name in sorted(loss, key=loss.get, reverse=True):
        bytes_more += 3 * sizes[name]
        if bytes_more > SPARE:
            break
        kept.add(name)
    return kept


def main():
    source, target = sys.argv[1:]
    exact = logits(source)
    for place, value in EXPECTED.items():
        assert abs(exact[place] - value) < 1e-3, f"{source} is another model: {place} is {exact[place]}"
    model = onnx.load(source)
    sizes = dense_weights(model)
    quantise(model, set(sizes) - worth_keeping(source, exact, sizes))
    onnx.checker.check_model(model)
    onnx.save(model, target)
    near = logits(target)
    for place in np.argsort(-near)[: len(EXPECTED)]:
        print(f"logit {place}: {exact[place]:.4f} in f32, {near[place]:.4f} in int8")
    error = np.abs(near - exact)
    print(f"all logits differ by {error.mean():.3f} on average, {error.max():.3f} at most")


if __name__ == "__main__":
    main()
