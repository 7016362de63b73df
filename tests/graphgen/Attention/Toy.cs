using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Attention;

/// <summary>A graph of one attention over x [batch, sequence, 8], written the way that an exporter would.</summary>
internal sealed class Toy
{
    public const int Hidden = 8;

    private readonly OnnxModel _model;

    public Toy()
    {
        (_model, _) = Ort.New();
        Tape = new Tape(_model.Graph, onnxOnly: true);
        X = Input("x");
    }

    public Tape Tape { get; }

    public Expr X { get; }

    public Expr Input(string name) => Tape[_model.Graph.AddInput(name, ElementType.Float, [Dim.Symbol("batch"), Dim.Symbol("sequence"), Hidden])];

    public Expr Weight(string name, params long[] dims) => Tape.Constant(RandomTensor.Between(-0.5, 0.5, name, dims), name);

    /// <summary>x·W + b with the bias first, as TorchScript writes it.</summary>
    public Expr Linear(Expr x, string name, int output, bool bias = true)
    {
        var product = x.MatMul(Weight($"{name}.weight", x.Shape[-1].Value!.Value, output));
        return bias ? Weight($"{name}.bias", output) + product : product;
    }

    /// <summary>[batch, sequence, heads·width] → [batch, heads, sequence, width].</summary>
    public static Expr Heads(Expr y, int heads) => y.Reshape(0, 0, heads, y.Shape[-1].Value!.Value / heads).MoveAxes(0, 2, 1, 3);

    public static Expr Softmax(Expr scores) => scores.Apply("Softmax", ("axis", -1));

    /// <summary>softmax(q·kᵀ/2)·v, heads merged.</summary>
    public static Expr Attend(Expr q, Expr k, Expr v) => Merge(Softmax(q.MatMul(k.T) * 0.5).MatMul(v));

    public static Expr Merge(Expr heads) => heads.MoveAxes(0, 2, 1, 3).Reshape(0, 0, heads.Shape[1].Value!.Value * heads.Shape[-1].Value!.Value);

    public Expr Op(string op, ReadOnlySpan<Expr?> inputs, params ReadOnlySpan<(string Name, OnnxAttribute? Value)> attributes) => Tape.Op(op, inputs, attributes);

    public IReadOnlyList<Expr> Split(Expr y, int axis, params long[] sizes)
    {
        var node = Tape.Write("Split", [y, Tape.Longs(sizes)], sizes.Length, ("axis", axis));
        return [.. node.Outputs.Select(output => Tape[output!])];
    }

    public OnnxModel With(Expr output)
    {
        _model.Graph.AddOutput(output.Value);
        return _model;
    }
}
