#!/usr/bin/env python3
"""One training step of lorta beside one of PyTorch + PEFT: the same decoder, the same weights, the same rows of tokens.

    peer.py OUT.json --lorta LORTA [--device cuda] [--seconds 200] [--small]

The model has the shape of SmolLM2-135M and random weights. lorta gets it as ONNX, as ONNX Runtime GenAI's builder writes it; PyTorch gets
it as transformers' LlamaForCausalLM. Both train LoRA of rank 8 on q, k, v and the output projection, lorta also LoRTA. A step is forward,
backward, clipping and AdamW; the first ones warm up, of the others the median counts. lorta's times are those that `lorta train` notes in
its metrics.jsonl, its reading of data included. A row that cannot be measured keeps its reason; the others are measured all the same.
"""
import argparse
import contextlib
import dataclasses
import gc
import json
import math
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

RANK, ALPHA, LEARNING_RATE, BATCH = 8, 16, 1e-3, 8
EPSILON, THETA = 1e-5, 10000.0
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SECONDS_PER_ROW = 90


@dataclasses.dataclass(frozen=True)
class Shape:
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    ffn: int
    vocabulary: int
    positions: int

    @property
    def head_size(self):
        return self.hidden // self.heads

    @property
    def lora_parameters(self):
        """Rank · (in + out) of each adapted matrix."""
        kv = self.kv_heads * self.head_size
        return self.layers * RANK * (2 * (self.hidden + self.hidden) + 2 * (self.hidden + kv))


SMOLLM2 = Shape(layers=30, hidden=576, heads=9, kv_heads=3, ffn=1536, vocabulary=49152, positions=2048)
SMALL = Shape(layers=2, hidden=64, heads=4, kv_heads=2, ffn=128, vocabulary=512, positions=64)


def make_weights(shape):
    """PyTorch's names and layout [out, in] → numbers."""
    random, kv = numpy.random.default_rng(0), shape.kv_heads * shape.head_size

    def matrix(rows, columns):
        return random.standard_normal((rows, columns), dtype=numpy.float32) * numpy.float32(0.05)

    def norm():
        return 1 + random.standard_normal(shape.hidden, dtype=numpy.float32) * numpy.float32(0.1)

    weights = {"model.embed_tokens.weight": matrix(shape.vocabulary, shape.hidden)}
    for layer in range(shape.layers):
        at = f"model.layers.{layer}"
        weights |= {
            f"{at}.input_layernorm.weight": norm(),
            f"{at}.self_attn.q_proj.weight": matrix(shape.hidden, shape.hidden),
            f"{at}.self_attn.k_proj.weight": matrix(kv, shape.hidden),
            f"{at}.self_attn.v_proj.weight": matrix(kv, shape.hidden),
            f"{at}.self_attn.o_proj.weight": matrix(shape.hidden, shape.hidden),
            f"{at}.post_attention_layernorm.weight": norm(),
            f"{at}.mlp.gate_proj.weight": matrix(shape.ffn, shape.hidden),
            f"{at}.mlp.up_proj.weight": matrix(shape.ffn, shape.hidden),
            f"{at}.mlp.down_proj.weight": matrix(shape.hidden, shape.ffn),
        }
    return weights | {"model.norm.weight": norm()}


def make_rows(shape, length):
    """[batch, length] token ids, none of them special."""
    return numpy.random.default_rng(1).integers(len(SPECIAL), shape.vocabulary, (BATCH, length))


class OnnxModel:
    """Writes the model as GenAI's builder does: GroupQueryAttention with its rotation, whole norms, [in, out] weights in a file beside."""

    def __init__(self, shape, weights, dtype):
        import onnx
        import onnx.numpy_helper
        self.onnx, self.shape, self.weights, self.dtype = onnx, shape, weights, dtype
        self.type = onnx.TensorProto.FLOAT if dtype == numpy.float32 else onnx.TensorProto.FLOAT16
        self.nodes, self.constants = [], []

    def save(self, path):
        value = self.onnx.helper.make_tensor_value_info
        tokens = ["batch_size", "sequence_length"]
        caches = ["batch_size", self.shape.kv_heads, "past_sequence_length", self.shape.head_size]
        inputs = [value("input_ids", self.onnx.TensorProto.INT64, tokens),
                  value("attention_mask", self.onnx.TensorProto.INT64, ["batch_size", "total_sequence_length"])]
        outputs = [value("logits", self.type, [*tokens, self.shape.vocabulary])]
        for layer in range(self.shape.layers):
            inputs += [value(f"past_key_values.{layer}.{part}", self.type, caches) for part in ("key", "value")]
            outputs += [value(f"present.{layer}.{part}", self.type, [*caches[:2], "total_sequence_length", caches[3]])
                        for part in ("key", "value")]
        self.write_nodes()
        graph = self.onnx.helper.make_graph(self.nodes, "peer", inputs, outputs, self.constants)
        opsets = [self.onnx.helper.make_opsetid("", 21), self.onnx.helper.make_opsetid("com.microsoft", 1)]
        model = self.onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="onnxruntime-genai")
        self.onnx.save_model(model, str(path), save_as_external_data=True, location=path.name + ".data", size_threshold=1024)

    def write_nodes(self):
        shared = self.lengths() + self.rotation()
        embedding = self.constant("model.embed_tokens.weight", self.weights["model.embed_tokens.weight"])
        h = self.op("Gather", [embedding, "input_ids"], "/model/embed_tokens")
        for layer in range(self.shape.layers):
            name = f"model.layers.{layer}"
            h = self.op("Add", [h, self.attention(self.norm(h, f"{name}.input_layernorm"), layer, shared)], f"/{name}/attn/add")
            h = self.op("Add", [h, self.mlp(self.norm(h, f"{name}.post_attention_layernorm"), f"{name}.mlp")], f"/{name}/mlp/add")
        tied = self.op("Transpose", [embedding], "/lm_head/transpose", perm=[1, 0])
        self.op("MatMul", [self.norm(h, "model.norm"), tied], "/lm_head", ["logits"])

    def lengths(self):
        """seqlens_k, [batch], and the length of the whole row, as GroupQueryAttention wants them."""
        axis, one = self.constant("axis", numpy.array([1])), self.constant("one", numpy.array(1))
        tokens = self.op("ReduceSum", ["attention_mask", axis], "/mask/sum", keepdims=0)
        last = self.op("Cast", [self.op("Sub", [tokens, one], "/mask/last")], "/mask/last32", to=self.onnx.TensorProto.INT32)
        length = self.op("Gather", [self.op("Shape", ["attention_mask"], "/mask/shape"), one], "/mask/length", axis=0)
        return [last, self.op("Cast", [length], "/mask/length32", to=self.onnx.TensorProto.INT32)]

    def rotation(self):
        """cos and sin of position · θ^(−2i / head size), [positions, head size / 2]."""
        half = self.shape.head_size // 2
        angles = numpy.outer(numpy.arange(self.shape.positions), THETA ** (-numpy.arange(half) / half))
        return [self.constant("cos_cache", numpy.cos(angles).astype(self.dtype)),
                self.constant("sin_cache", numpy.sin(angles).astype(self.dtype))]

    def attention(self, x, layer, shared):
        name = f"model.layers.{layer}.self_attn"
        q, k, v = (self.product(x, f"{name}.{part}_proj") for part in "qkv")
        outputs = [f"/{name}/output_0", f"present.{layer}.key", f"present.{layer}.value"]
        past = [f"past_key_values.{layer}.key", f"past_key_values.{layer}.value"]
        context = self.op("GroupQueryAttention", [q, k, v, *past, *shared], f"/{name}", outputs, domain="com.microsoft",
                          num_heads=self.shape.heads, kv_num_heads=self.shape.kv_heads, do_rotary=1)
        return self.product(context, f"{name}.o_proj")

    def mlp(self, x, name):
        gate = self.product(x, f"{name}.gate_proj")
        silu = self.op("Mul", [gate, self.op("Sigmoid", [gate], f"/{name}/sigmoid")], f"/{name}/silu")
        inner = self.op("Mul", [silu, self.product(x, f"{name}.up_proj")], f"/{name}/inner")
        return self.product(inner, f"{name}.down_proj")

    def product(self, x, name):
        weight = self.constant(f"{name}.weight", numpy.ascontiguousarray(self.weights[f"{name}.weight"].T))
        return self.op("MatMul", [x, weight], f"/{name}")

    def norm(self, x, name):
        weight = self.constant(f"{name}.weight", self.weights[f"{name}.weight"])
        return self.op("SimplifiedLayerNormalization", [x, weight], f"/{name}", axis=-1, epsilon=EPSILON)

    def op(self, kind, inputs, name, outputs=None, domain="", **attributes):
        outputs = outputs or [f"{name}/output_0"]
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, outputs, name=name, domain=domain, **attributes))
        return outputs[0]

    def constant(self, name, array):
        array = array.astype(self.dtype) if array.dtype == numpy.float32 else array
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name


class MemoryOnCard:
    """Most memory in use on the card while it is open, less what was before, in MB; None without nvidia-smi. The card is ours alone."""

    QUERY = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", "0"]

    def __init__(self, device, idle=None):
        self.device, self.idle, self.peak = device, idle, None

    def __enter__(self):
        if self.device != "cpu":
            with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
                if self.idle is None:
                    self.idle = self.now()
                self.readings = tempfile.TemporaryFile()
                self.watch = subprocess.Popen([*self.QUERY, "-lms", "100"], stdout=self.readings, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        if not hasattr(self, "watch"):
            return
        self.watch.terminate()
        self.watch.wait()
        self.readings.seek(0)
        numbers = [int(line) for line in self.readings.read().split() if line.isdigit()]
        self.peak = max([*numbers, self.now()]) - self.idle   # steps may be over before the first reading; PyTorch still holds what it took

    @classmethod
    def now(cls):
        return int(subprocess.run(cls.QUERY, capture_output=True, check=True, timeout=20).stdout)


# ---- lorta

RECIPE = """\
model: {model}
tokenizer: {tokenizer}
task: causal-lm
adapter: {{ method: {method}, rank: {rank}, alpha: {alpha}, targets: [q, k, v, p] }}
data: {{ train: {tokens}, format: text, maxLength: {length}, packing: true, bos: false, eos: false }}
train:
  steps: {steps}
  batchSize: {batch}
  optimizer: {{ name: adamw, lr: {rate} }}
  schedule: {{ name: constant, warmupSteps: 0 }}
  clip: 1.0
  evaluateEvery: never
  saveEvery: never
"""


def write_tokens(work, shape, lengths):
    """A tokenizer that reads t17 as 17, and the rows of each length as text."""
    (work / "tokenizer").mkdir()
    pieces = SPECIAL + [f"t{i}" for i in range(len(SPECIAL), shape.vocabulary)]
    (work / "tokenizer/vocab.txt").write_text("\n".join(pieces) + "\n")
    (work / "tokenizer/tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer", "do_lower_case": true}\n')
    for length in lengths:
        rows = [" ".join(f"t{i}" for i in row) for row in make_rows(shape, length)]
        (work / f"tokens-{length}.txt").write_text("\n\n".join(rows) + "\n")


def lorta_row(row, work, options):
    name = "-".join(str(row[key]) for key in ("method", "precision", "length"))
    recipe = work / f"{name}.yaml"
    model = work / ("half" if row["precision"] == "float16" else "single") / "model.onnx"
    recipe.write_text(RECIPE.format(
        model=model, tokenizer=work / "tokenizer", tokens=work / f"tokens-{row['length']}.txt", length=row["length"],
        method=row["method"], rank=RANK, alpha=ALPHA, rate=LEARNING_RATE, batch=BATCH, steps=options.warm_up + options.steps))
    command = [*shlex.split(options.lorta), "train", recipe, "-o", work / name, "--set", f"device={options.device}", "--json", "--quiet"]
    if row["precision"] == "tf32":
        command.append("--allow-tf32")
    with MemoryOnCard(options.device) as memory:
        start = time.perf_counter()
        result = json.loads(run(command, SECONDS_PER_ROW))
        whole = time.perf_counter() - start
    lines = [json.loads(line) for line in (work / name / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["kind"] == "step"]
    seconds = [BATCH / step["samplesPerSecond"] for step in steps]
    return timing(seconds, row["length"], options) | {
        "firstLoss": steps[0]["loss"], "lastLoss": steps[-1]["loss"], "trainable": result["trainable"], "cardMegabytes": memory.peak,
        "secondsBesideSteps": whole - sum(seconds)}


# ---- PyTorch

def torch_rows(rows, weights, shape, options):
    """Measures rows in this process, one line of JSON for each. Its own process, so that lorta's rows do not share the card with it."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM
    import peft
    import transformers
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__}
    idle = MemoryOnCard.now() if options.device != "cpu" else None
    for row in rows:
        try:
            print(json.dumps(row | torch_row(row, weights, shape, options, idle, torch, LoraConfig, get_peft_model,
                                             LlamaConfig, LlamaForCausalLM) | {"versions": versions}), flush=True)
        except Exception as error:   # the other rows are measured all the same
            print(json.dumps(row | {"error": f"{type(error).__name__}: {error}"}), flush=True)


def torch_row(row, weights, shape, options, idle, torch, LoraConfig, get_peft_model, LlamaConfig, LlamaForCausalLM):
    cuda = options.device != "cpu"
    gc.collect()   # the row before
    if cuda:
        torch.cuda.empty_cache()
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high" if row["precision"] == "tf32" else "highest")
    config = LlamaConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.hidden, intermediate_size=shape.ffn, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads, max_position_embeddings=shape.positions,
        rms_norm_eps=EPSILON, tie_word_embeddings=True)
    model = LlamaForCausalLM(config)
    missing, unexpected = model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()}, strict=False)
    if set(missing) - {"lm_head.weight"} or unexpected:
        raise RuntimeError(f"missing {missing}, unexpected {unexpected}")
    model = get_peft_model(model, LoraConfig(
        r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM",
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj"])).to(options.device).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=0.0)
    ids = torch.from_numpy(make_rows(shape, row["length"])).to(options.device)
    autocast = torch.autocast("cuda" if cuda else "cpu", dtype=torch.bfloat16, enabled=row["precision"] == "bfloat16")
    if cuda:
        torch.cuda.reset_peak_memory_stats()

    def step():
        optimizer.zero_grad(set_to_none=True)
        with autocast:
            loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        return loss.item()   # waits for the card

    seconds, losses = [], []
    with MemoryOnCard(options.device, idle) as memory:
        for _ in range(options.warm_up + options.steps):
            start = time.perf_counter()
            losses.append(step())
            if cuda:
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
    return timing(seconds, row["length"], options) | {
        "firstLoss": losses[0], "lastLoss": losses[-1], "trainable": sum(parameter.numel() for parameter in trained),
        "cardMegabytes": memory.peak, "allocatedMegabytes": torch.cuda.max_memory_allocated() / 2**20 if cuda else None,
        "attention": getattr(model.config, "_attn_implementation", None)}


# ---- both

def timing(seconds, length, options):
    measured = seconds[options.warm_up:]
    median = statistics.median(measured)
    return {"milliseconds": median * 1e3, "least": min(measured) * 1e3, "steps": len(measured), "tokensPerSecond": BATCH * length / median}


def run(command, seconds):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
    if done.returncode != 0:
        raise RuntimeError(f"exit code {done.returncode}: {' '.join(done.stderr.split())[-1000:]}")
    return done.stdout


def plan(lengths):
    """What is measured, the most telling first: time may run out."""
    precisions = [("lora", "float32"), ("lorta", "float32"), ("lora", "tf32"), ("lorta", "tf32"), ("lorta", "float16")]
    ours = [{"tool": "lorta", "method": method, "precision": precision, "length": length}
            for method, precision in precisions for length in reversed(lengths)]
    theirs = [{"tool": "torch", "method": "lora", "precision": precision, "length": length}
              for precision in ("float32", "tf32", "bfloat16") for length in reversed(lengths)]
    return ours, theirs


def measure_torch(rows, options, work, seconds):
    """The rows of the child process; what it did not come to has its reason."""
    command = [sys.executable, __file__, str(work / "torch.json"), "--lorta", options.lorta, "--device", options.device,
               "--torch-rows", json.dumps(rows), *["--small"] * options.small]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        output, reason = done.stdout, (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(done.stderr, end="", flush=True)
    except subprocess.TimeoutExpired as late:
        output, reason = (late.stdout or b"").decode(), f"not done after {seconds:.0f} s"
    measured = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return measured + [row | {"error": reason} for row in rows[len(measured):]]


def checks(rows, shape):
    """What must hold, each with the numbers it is judged by: same sizes, same loss, and, of the real model, the goals for speed."""
    found = {(row["tool"], row["method"], row["precision"], row["length"]): row for row in rows if "error" not in row}
    for row in found.values():
        if row["method"] == "lora":
            trained, expected = row["trainable"], shape.lora_parameters
            yield check(f"{label(row)}: trained parameters", trained, "=", expected, trained == expected)
    for (tool, method, precision, length), row in found.items():
        peer = found.get(("torch", "lora", precision, length))
        if tool == "lorta" and method == "lora" and peer and shape is not SMALL:
            ratio = row["milliseconds"] / peer["milliseconds"]
            yield check(f"{label(row)}: step / PyTorch's", ratio, "≤", 0.9, ratio <= 0.9, goal=True)
        if tool == "lorta" and method == "lora" and precision == "float32" and peer:
            difference = abs(row["firstLoss"] - peer["firstLoss"]) / peer["firstLoss"]
            yield check(f"{label(row)}: loss of step 1, relative to PyTorch's", difference, "≤", 1e-4, difference <= 1e-4)
        lora = found.get(("lorta", "lora", precision, length))
        if tool == "lorta" and method == "lorta" and lora and shape is not SMALL:
            ratio = row["milliseconds"] / lora["milliseconds"]
            yield check(f"{label(row)}: step / LoRA's", ratio, "≤", 1.02, ratio <= 1.02, goal=True)


def check(what, value, sign, limit, ok, goal=False):
    return {"what": what, "value": value, "limit": f"{sign} {limit}", "ok": bool(ok), "goal": goal}


def label(row):
    return f"{row['tool']} {row['method']} {row['precision']} {BATCH} × {row['length']}"


def measure(options, shape, lengths):
    deadline = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        write_tokens(work, shape, lengths)
        weights = make_weights(shape)
        for name, dtype in (("single", numpy.float32), ("half", numpy.float16)):
            (work / name).mkdir()
            OnnxModel(shape, weights, dtype).save(work / name / "model.onnx")
        ours, theirs = plan(lengths)
        rows = []

        def add(more):
            rows.extend(more)
            report = {"shape": dataclasses.asdict(shape), "batch": BATCH, "rank": RANK, "rows": rows, "checks": list(checks(rows, shape))}
            pathlib.Path(options.out).write_text(json.dumps(report, indent=1) + "\n")
            for row in more:
                print(f"{label(row)}: {row['milliseconds']:.1f} ms" if "error" not in row else f"{label(row)}: {row['error']}", flush=True)

        for row in ours[:len(lengths)]:
            add([guarded(row, work, options, deadline)])
        add(measure_torch(theirs, options, work, min(150, max(30, deadline - time.monotonic()))))
        for row in ours[len(lengths):]:
            add([guarded(row, work, options, deadline)])
    return 0


def guarded(row, work, options, deadline):
    if time.monotonic() > deadline:
        return row | {"error": f"no time left after {options.seconds:.0f} s"}
    try:
        return row | lorta_row(row, work, options)
    except Exception as error:   # the other rows are measured all the same
        return row | {"error": f"{type(error).__name__}: {error}"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--lorta", required=True, help="the command")
    parser.add_argument("--device", default="cuda", help="cpu or cuda")
    parser.add_argument("--seconds", type=float, default=200, help="no row begins later")
    parser.add_argument("--small", action="store_true", help="a tiny model, to try this script")
    parser.add_argument("--torch-rows", help=argparse.SUPPRESS)
    options = parser.parse_args()
    shape, lengths = (SMALL, [16, 32]) if options.small else (SMOLLM2, [128, 512])
    options.warm_up, options.steps = (1, 3) if options.small else (5, 20)
    if options.torch_rows:
        torch_rows(json.loads(options.torch_rows), make_weights(shape), shape, options)
        return
    measure(options, shape, lengths)


if __name__ == "__main__":
    main()
