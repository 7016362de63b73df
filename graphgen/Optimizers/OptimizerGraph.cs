using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Optimizers;

/// <summary>What the graphs of all optimizers have in common: gradients → joint norm → clip factor; the rest is the rule's.</summary>
/// <remarks>n = ‖all gradients‖, clip factor min(1, c/(n + 10⁻⁶)). Numbers of a step are computed in double precision and meet the tensors
/// as float scalars, so each tensor is passed over as few times as possible.</remarks>
internal sealed class OptimizerGraph
{
    private const double ClipEpsilon = 1e-6;

    private readonly Tape _tape;

    /// <summary>Begins the graph of some tensors.</summary>
    /// <param name="name">Name of the rule.</param>
    /// <param name="tensors">What moves.</param>
    /// <param name="clip">Largest joint norm of all gradients; null: no limit.</param>
    public OptimizerGraph(string name, IReadOnlyList<OptimizedTensor> tensors, double? clip)
    {
        Model = new OnnxModel(new Graph(name)) { Producer = "LoRTA.Onnx" };
        Model.OpsetVersions[string.Empty] = 21;
        _tape = new Tape(Model.Graph, onnxOnly: true);
        var gradients = tensors.Select(tensor => Input(OptimizerNames.Gradient(tensor.Name), ElementType.Float, tensor.Dims)).ToArray();
        Moves = [.. tensors.Zip(gradients)];
        var norm = Norm(gradients);
        Output(norm.Cast(ElementType.Float), OptimizerNames.GradientNorm);
        Rate = Input(OptimizerNames.LearningRate, ElementType.Float, []).Cast(ElementType.Double);
        Step = Input(OptimizerNames.Step, ElementType.Int64, []);
        Clip = clip is { } limit ? (limit / (norm + ClipEpsilon)).Apply("Min", Scalar(1)) : Scalar(1);
    }

    /// <summary>The graph.</summary>
    public OnnxModel Model { get; }

    /// <summary>The tensors with their gradients.</summary>
    public IReadOnlyList<(OptimizedTensor Tensor, Expr Gradient)> Moves { get; }

    /// <summary>Learning rate of the step, double scalar.</summary>
    public Expr Rate { get; }

    /// <summary>Number of the step, int64 scalar.</summary>
    public Expr Step { get; }

    /// <summary>What gradients are multiplied by, double scalar.</summary>
    public Expr Clip { get; }

    /// <summary>Writes the following nodes under the name of a tensor, until the result is disposed.</summary>
    public IDisposable Scope(OptimizedTensor tensor) => _tape.Scope(tensor.Name);

    /// <summary>A number in double precision.</summary>
    public Expr Scalar(double number) => _tape.Scalar(number, ElementType.Double);

    /// <summary>The value of a tensor, or of what is kept for it.</summary>
    /// <param name="name">Name of the input.</param>
    /// <param name="like">The tensor.</param>
    public Expr Input(string name, OptimizedTensor like) => Input(name, ElementType.Float, like.Dims);

    /// <summary>Gives the next value of an input.</summary>
    public static void Next(string input, Expr value) => Output(value, OptimizerNames.Next(input));

    /// <summary>What remains of a tensor: p·(1 − ηλ).</summary>
    public Expr Decayed(OptimizedTensor tensor, Expr p) => tensor.WeightDecay == 0
        ? p
        : p * (1 - (Rate * (tensor.LearningRateFactor * tensor.WeightDecay))).Cast(ElementType.Float);

    // √ Σ ‖g‖², summed over the tensors in double precision.
    private static Expr Norm(IReadOnlyList<Expr> gradients) =>
        gradients.Select(g => g.Apply("ReduceSumSquare", ("keepdims", 0)).Cast(ElementType.Double))
            .Aggregate((sum, square) => sum + square)
            .Sqrt();

    private static void Output(Expr e, string name)
    {
        e.Tape.Graph.Rename(e.Value, name);
        e.Tape.Graph.AddOutput(e.Value);
    }

    private Expr Input(string name, ElementType type, IReadOnlyList<long> dims) =>
        _tape[_tape.Graph.AddInput(name, type, [.. dims.Select(size => new Dim(size))])];
}

/// <summary>A tensor that the optimizer moves, and the settings of its group.</summary>
/// <param name="Name">Name of the tensor.</param>
/// <param name="Dims">Its dimensions.</param>
/// <param name="LearningRateFactor">What the step's learning rate is multiplied by for this tensor.</param>
/// <param name="WeightDecay">Decoupled weight decay λ ≥ 0.</param>
internal sealed record OptimizedTensor(string Name, IReadOnlyList<long> Dims, double LearningRateFactor = 1, double WeightDecay = 0);
