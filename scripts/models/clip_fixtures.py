#!/usr/bin/env python3
"""Makes the tiny CLIP and SigLIP exports that crates/embed is tested with, and the vectors expected of them.

    scripts/models/clip_fixtures.py crates/embed/tests/fixtures

The models have random weights and a few dozen numbers a layer; all else, tensor names, settings and tokenizers,
is as in the exports of the onnx-community. What is expected comes from transformers: its own processors, with
Pillow, and its own models in PyTorch, not from the exports. Made with torch 2.15, transformers 5.23 and Pillow
12.1; from 13 on, Pillow scales the columns of tall pictures before their rows, which rounds otherwise.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

TEXTS = [
    "a photo of a cat",
    "A red bicycle, leaning against the wall!",
    "",
    "Zwei Äpfel & ein Café — 日本 🦀",
    "on and on " * 60,
]
# Width and height: wider, taller, smaller than what the models read, and exactly that.
SIZES = [(97, 61), (40, 130), (20, 23), (32, 32)]
CORPUS = [
    "a photo of a cat", "a photo of a dog", "a red bicycle leaning against the wall", "two apples and a coffee",
    "on and on and on", "the quick brown fox jumps over the lazy dog", "a bicycle and a cat on the wall",
]


def picture(width, height):
    """The same as in crates/embed/tests/clip.rs."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    planes = [(x * 5 + y * 3) % 256, (x * y) % 256, np.where((x // 7 + y // 5) % 2 == 0, 230, 25)]
    return Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8))


class Vision(torch.nn.Module):
    """The half of the model that is exported for pictures."""

    def __init__(self, model, clip):
        super().__init__()
        self.model, self.clip = model, clip

    def forward(self, pixel_values):
        output = self.model.vision_model(pixel_values=pixel_values)
        pooled = output.pooler_output
        return self.model.visual_projection(pooled) if self.clip else (output.last_hidden_state, pooled)


class Text(torch.nn.Module):
    """The half of the model that is exported for texts."""

    def __init__(self, model, clip):
        super().__init__()
        self.model, self.clip = model, clip

    def forward(self, input_ids):
        output = self.model.text_model(input_ids=input_ids)
        pooled = output.pooler_output
        return self.model.text_projection(pooled) if self.clip else (output.last_hidden_state, pooled)


def export(module, example, name, outputs, axes, path):
    torch.onnx.export(
        module.eval(), (example,), str(path), input_names=[name], output_names=outputs, dynamic_axes=axes,
        opset_version=14, dynamo=False,
    )


def normalised(tensor):
    return torch.nn.functional.normalize(tensor, dim=-1).detach().numpy().round(7).tolist()


def clip_tokenizer():
    """As CLIP's: lower case, bytes, marks of begin and end, the latter also as padding."""
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>", fuse_unk=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    split = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=640, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer = with_every_byte_at_an_end(tokenizer, alphabet)
    tokenizer.decoder = decoders.ByteLevel()
    start, end = (tokenizer.token_to_id(mark) for mark in ("<|startoftext|>", "<|endoftext|>"))
    tokenizer.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", end), ("<|startoftext|>", start), trim_offsets=False, add_prefix_space=False
    )
    return tokenizer


def with_every_byte_at_an_end(tokenizer, alphabet):
    """Adds what training leaves out: each byte at the end of a word, and the two marks, last of all."""
    state = json.loads(tokenizer.to_str())
    vocabulary = state["model"]["vocab"]
    for token in [f"{byte}</w>" for byte in alphabet]:
        vocabulary.setdefault(token, len(vocabulary))
    state["added_tokens"] = []
    for mark in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[mark] = len(vocabulary)
        state["added_tokens"].append(
            {"id": vocabulary[mark], "content": mark, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": True, "special": True}
        )
    return Tokenizer.from_str(json.dumps(state))


def siglip_tokenizer():
    """As SigLIP's: lower case, no punctuation, pieces, a mark at the end that is the padding too."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]\^_`{|}~]"), ""),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    end = tokenizer.token_to_id("</s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", end)]
    )
    return tokenizer


def save(folder, model, processor, tokenizer, clip):
    """Writes the folder of an export."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "onnx").mkdir(parents=True)
    model.config.to_json_file(folder / "config.json", use_diff=False)
    processor.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    pixels = torch.zeros(2, 3, 32, 32)
    ids = torch.ones(2, 16, dtype=torch.int64)
    batch = {0: "batch_size"}
    outputs = (["image_embeds"], ["text_embeds"]) if clip else (["last_hidden_state", "pooler_output"],) * 2
    named = {name: batch for name in outputs[0]}
    export(Vision(model, clip), pixels, "pixel_values", outputs[0], {"pixel_values": batch, **named},
           folder / "onnx" / "vision_model.onnx")
    named = {name: batch for name in outputs[1]}
    export(Text(model, clip), ids, "input_ids", outputs[1],
           {"input_ids": {0: "batch_size", 1: "sequence_length"}, **named}, folder / "onnx" / "text_model.onnx")


def expected(model, processor, fast, length, clip):
    """The vectors of all pictures and texts, by transformers alone."""
    images = []
    for size in SIZES:
        pixels = processor(images=picture(*size), return_tensors="pt")["pixel_values"]
        images.append(features(model.get_image_features(pixel_values=pixels)))
    texts = []
    for text in TEXTS:
        if clip:
            encoded = fast(text, return_tensors="pt", padding=True, truncation=True, max_length=length)
        else:
            encoded = fast(text, return_tensors="pt", padding="max_length", truncation=True, max_length=length)
        texts.append(features(model.get_text_features(input_ids=encoded["input_ids"])))
    return {"sizes": SIZES, "pictures": normalised(torch.cat(images)), "texts": TEXTS, "vectors": normalised(torch.cat(texts))}


def features(output):
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def make_clip(folder):
    tokenizer = clip_tokenizer()
    end = tokenizer.token_to_id("<|endoftext|>")
    layers = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config={**layers, "vocab_size": end + 1, "max_position_embeddings": 77, "eos_token_id": end,
                     "bos_token_id": end - 1, "pad_token_id": end},
        vision_config={**layers, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    model = louder(CLIPModel(config))
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<|endoftext|>")
    save(folder, model, processor, tokenizer, clip=True)
    write(folder, expected(model, processor, fast, 77, clip=True))


def make_siglip(folder):
    tokenizer = siglip_tokenizer()
    layers = {"hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config={**layers, "vocab_size": tokenizer.get_vocab_size(), "max_position_embeddings": 64,
                     "pad_token_id": 1, "projection_size": 24},
        vision_config={**layers, "image_size": 32, "patch_size": 8},
    )
    model = louder(SiglipModel(config))
    processor = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="</s>")
    save(folder, model, processor, tokenizer, clip=False)
    write(folder, expected(model, processor, fast, 64, clip=False))


def louder(model):
    """Random weights as they are initialised give vectors that hardly differ from input to input."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / parameter.shape[-1] ** 0.5)
    return model.eval()


def write(folder, values):
    text = json.dumps(values, ensure_ascii=False)
    (folder / "expected.json").write_text(text.replace('"pictures"', '\n"pictures"').replace('"texts"', '\n"texts"') + "\n")


def main():
    assert int(PIL.__version__.split(".")[0]) < 13, "Pillow from 13 on rounds otherwise"
    target = Path(sys.argv[1])
    torch.manual_seed(7)
    make_clip(target / "clip-tiny")
    make_siglip(target / "siglip-tiny")
    for path in sorted(target.glob("*-tiny/**/*")):
        if path.is_file():
            print(f"{path.stat().st_size:>8} {path.relative_to(target)}")


if __name__ == "__main__":
    main()
