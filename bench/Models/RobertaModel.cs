using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.Bench.Models;

/// <summary>The encoder of a <see cref="RobertaShape"/> as an ONNX model, written the way exporters write it: norms whole, Gelu in pieces,
/// attention scattered.</summary>
internal static class RobertaModel
{
    private static readonly string StoredPath = Path.Combine(Path.GetTempPath(), "lorta-bench", "roberta-shape.onnx");

    /// <summary>Writes the model to a file, so that a step has its weights where a user has them.</summary>
    public static void Store(RobertaShape shape) => Create(shape).Save(StoredPath);

    /// <summary>The stored model.</summary>
    public static OnnxModel Open() => OnnxModel.Load(StoredPath);

    private static OnnxModel Create(RobertaShape shape)
    {
        var graph = new Graph("roberta-shape");
        var tape = new Tape(graph, onnxOnly: true);
        var ids = tape[graph.AddInput("input_ids", ElementType.Int64, [shape.Batch, shape.Length])];
        var h = Embed(ids, shape);
        for (var layer = 0; layer < shape.Layers; layer++) h = Layer(h, shape, $"layer.{layer}");
        var pooled = Linear(h.Slice(1, 0, 1).Squeeze(1), "pooler", shape.Hidden, shape.Hidden).Op("Tanh");
        var logits = Linear(pooled, "classifier", shape.Hidden, shape.Labels);
        graph.Rename(logits.Value, "logits");
        graph.AddOutput(logits.Value);
        return OnnxModel.ForRuntime(graph);
    }

    private static Expr Embed(Expr ids, RobertaShape shape)
    {
        var words = Weight(ids.Tape, "embeddings.word", shape.Vocabulary, shape.Hidden);
        var positions = Weight(ids.Tape, "embeddings.position", shape.Length, shape.Hidden);
        return Norm(ids.Tape.Op("Gather", [words, ids]) + positions, "embeddings.norm", shape.Hidden);
    }

    private static Expr Layer(Expr x, RobertaShape shape, string name)
    {
        var context = Attention(x, shape, name);
        var h = Norm(Linear(context, $"{name}.attention.output", shape.Hidden, shape.Hidden) + x, $"{name}.attention.norm", shape.Hidden);
        var inner = Gelu(Linear(h, $"{name}.intermediate", shape.Hidden, shape.Ffn));
        return Norm(Linear(inner, $"{name}.output", shape.Ffn, shape.Hidden) + h, $"{name}.norm", shape.Hidden);
    }

    private static Expr Attention(Expr x, RobertaShape shape, string name)
    {
        Expr Heads(string matrix) =>
            Linear(x, $"{name}.attention.{matrix}", shape.Hidden, shape.Hidden)
                .Reshape(shape.Batch, shape.Length, shape.Heads, shape.HeadSize);
        var (q, k, v) = (Heads("query").MoveAxes(0, 2, 1, 3), Heads("key").MoveAxes(0, 2, 3, 1), Heads("value").MoveAxes(0, 2, 1, 3));
        var scores = q.MatMul(k) / Math.Sqrt(shape.HeadSize);
        return scores.Op("Softmax", [], ("axis", -1)).MatMul(v).MoveAxes(0, 2, 1, 3).Reshape(shape.Batch, shape.Length, shape.Hidden);
    }

    private static Expr Gelu(Expr x) => x * ((x / Math.Sqrt(2)).Op("Erf") + 1) * 0.5;

    private static Expr Linear(Expr x, string name, int input, int output) =>
        x.MatMul(Weight(x.Tape, $"{name}.weight", input, output))
            + x.Tape.Constant(OnnxTensor.Of<float>([output], new float[output]), $"{name}.bias");

    private static Expr Norm(Expr x, string name, int width) => x.Tape.Op(
        "LayerNormalization",
        [x, x.Tape.Constant(OnnxTensor.Of<float>([width], [.. Enumerable.Repeat(1f, width)]), $"{name}.weight"),
            x.Tape.Constant(OnnxTensor.Of<float>([width], new float[width]), $"{name}.bias")],
        ("axis", -1),
        ("epsilon", 1e-5f));

    private static Expr Weight(Tape tape, string name, int rows, int columns) =>
        tape.Constant(OnnxTensor.Of<float>([rows, columns], RobertaShape.Normal(name, rows * columns)), name);
}
