using System.Runtime.InteropServices;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Bench.Models;

/// <summary>A decoder of Llama2-7B's shape with random weights of 4 bits, spelled as ONNX Runtime GenAI's builder does; weights are made
/// while they are written.</summary>
/// <param name="Layers">Decoder blocks: 32 give 4.1 GB of codes and scales.</param>
/// <param name="Hidden">Width.</param>
/// <param name="Heads">Heads of attention.</param>
/// <param name="Ffn">Width of the feed-forward part.</param>
/// <param name="Vocabulary">Token ids.</param>
internal sealed record LargeModel(int Layers = 32, int Hidden = 4096, int Heads = 32, int Ffn = 11008, int Vocabulary = 32000)
{
    private const int Block = 32;
    private const int Positions = 4096;
    private const int Rank = 4;

    private int HeadSize => Hidden / Heads;

    /// <summary>Writes the model, its data beside it, and as <c>PATH.factors.safetensors</c> the factors of a LoRA adapter on q and
    /// v.</summary>
    public void Save(string path)
    {
        var graph = new Graph("large");
        var tape = new Tape(graph);
        var ids = tape[graph.AddInput("input_ids", ElementType.Int64, [Dim.Symbol("batch_size"), Dim.Symbol("sequence_length")])];
        var mask = tape[graph.AddInput("attention_mask", ElementType.Int64,
            [Dim.Symbol("batch_size"), Dim.Symbol("total_sequence_length")])];
        var h = tape.Op("Gather", [Floats(tape, "model.embed_tokens.weight", Vocabulary, Hidden), ids]);
        var shared = new Shared(
            (mask.Sum(1).Squeeze(1) - 1).Cast(ElementType.Int32),
            tape.Op("Shape", [mask]).Row(1).Cast(ElementType.Int32),
            Angles(tape, "cos_cache", Math.Cos),
            Angles(tape, "sin_cache", Math.Sin));
        for (var layer = 0; layer < Layers; layer++) h = Layer(h, $"/model/layers.{layer}", layer, shared);
        var logits = Product(Norm(h, "/model/final_norm"), "/lm_head", Hidden, Vocabulary);
        graph.Rename(logits.Value, "logits");
        graph.AddOutput(logits.Value);
        foreach (var value in graph.Initializers.Where(value => value.Constant!.ByteCount > 1024)) value.IsExternal = true;
        OnnxModel.ForRuntime(graph).Save(path);
        Safetensors.Save($"{path}.factors.safetensors", Factors());
    }

    private Dictionary<string, OnnxTensor> Factors()
    {
        var factors = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        foreach (var site in Enumerable.Range(0, Layers).SelectMany(layer => new[] { $"layers.{layer}.q", $"layers.{layer}.v" }))
        {
            factors[$"{site}.A"] = OnnxTensor.Of<float>([Hidden, Rank], RobertaShape.Normal($"{site}.A", Rank * Hidden));
            factors[$"{site}.B"] = OnnxTensor.Of<float>([Hidden, Rank], RobertaShape.Normal($"{site}.B", Rank * Hidden));
        }
        return factors;
    }

    private Expr Layer(Expr x, string name, int layer, Shared shared)
    {
        var h = x + Attention(Norm(x, $"{name}/input_layernorm"), $"{name}/attn", layer, shared);
        var normed = Norm(h, $"{name}/post_attention_layernorm");
        var gate = Product(normed, $"{name}/mlp/gate_proj", Hidden, Ffn);
        var inner = gate * gate.Op("Sigmoid") * Product(normed, $"{name}/mlp/up_proj", Hidden, Ffn);
        return h + Product(inner, $"{name}/mlp/down_proj", Ffn, Hidden);
    }

    private Expr Attention(Expr x, string name, int layer, Shared shared)
    {
        Expr Part(string matrix) => Product(x, $"{name}/{matrix}_proj", Hidden, Hidden);
        Expr Past(string part) => x.Tape[x.Tape.Graph.AddInput($"past_key_values.{layer}.{part}", ElementType.Float,
            [Dim.Symbol("batch_size"), Heads, Dim.Symbol("past_sequence_length"), HeadSize])];
        using var scope = x.Tape.Scope(name);
        Expr?[] inputs = [Part("q"), Part("k"), Part("v"), Past("key"), Past("value"), shared.Lengths, shared.Total, shared.Cos,
            shared.Sin];
        var node = x.Tape.Write(OrtOps.GroupQueryAttention, inputs, 3, ("num_heads", Heads), ("kv_num_heads", Heads),
            ("do_rotary", 1));
        foreach (var (output, part) in node.Outputs.Skip(1).Zip(["key", "value"]))
        {
            x.Tape.Graph.Rename(output!, $"present.{layer}.{part}");
            x.Tape.Graph.AddOutput(output!);
        }
        return Product(x.Tape[node.Output], $"{name}/o_proj", Hidden, Hidden);
    }

    private Expr Norm(Expr x, string name)
    {
        using var scope = x.Tape.Scope(name);
        var scale = x.Tape.Constant(OnnxTensor.Of<float>([Hidden], [.. Enumerable.Repeat(1f, Hidden)]),
            $"{name[1..].Replace('/', '.')}.weight");
        return x.Tape.Op("SimplifiedLayerNormalization", [x, scale], ("axis", -1), ("epsilon", 1e-5f));
    }

    // Uniform codes around 8; a weight deviates by 0.02 or so.
    private static Expr Product(Expr x, string name, int rows, int columns)
    {
        using var scope = x.Tape.Scope(name);
        var (blocks, weight) = (rows / Block, name[1..].Replace('/', '.'));
        var codes = OnnxTensor.Streamed(ElementType.UInt8, [columns, blocks, Block / 2], () => Bytes(name, columns * blocks * Block / 2));
        var scales = OnnxTensor.Streamed(ElementType.Float, [columns * blocks], () => Uniform(name, columns * blocks, 0.003f, 0.006f));
        Expr?[] inputs = [x, x.Tape.Constant(codes, $"{weight}.MatMulNBits.qweight"),
            x.Tape.Constant(scales, $"{weight}.MatMulNBits.scales")];
        return x.Tape.Op(OrtOps.MatMulNBits, inputs, ("K", rows), ("N", columns), ("bits", 4),
            ("block_size", Block));
    }

    private static Expr Floats(Tape tape, string name, int rows, int columns) =>
        tape.Constant(OnnxTensor.Streamed(ElementType.Float, [rows, columns], () => Uniform(name, rows * columns, -1, 1)), name);

    private Expr Angles(Tape tape, string name, Func<double, double> of)
    {
        var half = HeadSize / 2;
        var values = Enumerable.Range(0, Positions * half).Select(i => (float)of(i / half * Math.Pow(10000, -(double)(i % half) / half)));
        return tape.Constant(OnnxTensor.Of<float>([Positions, half], [.. values]), name);
    }

    private static Memory<byte> Bytes(string name, int count)
    {
        var (random, bytes) = (new SeededRandom(0, name), new byte[count]);
        foreach (ref var bits in MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan())) bits = random.NextBits();
        return bytes;
    }

    private static Memory<byte> Uniform(string name, int count, float low, float high)
    {
        var (random, values) = (new SeededRandom(0, name), new byte[count * sizeof(float)]);
        foreach (ref var value in MemoryMarshal.Cast<byte, float>(values.AsSpan()))
            value = low + ((high - low) * (float)random.NextUniform());
        return values;
    }

    private sealed record Shared(Expr Lengths, Expr Total, Expr Cos, Expr Sin);
}
