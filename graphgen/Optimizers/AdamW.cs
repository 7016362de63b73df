using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Optimizers;

/// <summary>AdamW (Loshchilov and Hutter, 2019, algorithm 2 with decoupled decay, as torch.optim.AdamW) as a graph of its own. Joint norm →
/// clip → step.</summary>
/// <remarks>
/// n = ‖all gradients‖, g ← g·min(1, c/(n + 10⁻⁶)); m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²;
/// p ← p·(1 − ηλ) − η·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ). With b = √(1 − β₂ᵗ): η·m̂/(√v̂ + ε) = m·(ηb/(1 − β₁ᵗ)) / (√v + εb).
/// Numbers of a step (η, powers, norm, clip factor) are computed in double precision and meet the tensors as float scalars, so each tensor
/// is passed over as few times as possible.
/// </remarks>
internal static class AdamW
{
    private const double ClipEpsilon = 1e-6;

    private static readonly OptimizerState Mean = new("first", "m");
    private static readonly OptimizerState Square = new("second", "v");

    /// <summary>What it keeps for each tensor: the running means of the gradient, m, and of its square, v.</summary>
    public static IReadOnlyList<OptimizerState> State => [Mean, Square];

    /// <summary>Makes the optimizer of some tensors.</summary>
    public static OnnxModel Build(IReadOnlyList<OptimizedTensor> tensors, AdamWOptions options)
    {
        var model = new OnnxModel(new Graph("adamw")) { Producer = "LoRTA.Onnx" };
        model.OpsetVersions[string.Empty] = 21;
        var tape = new Tape(model.Graph, onnxOnly: true);
        var gradients = tensors
            .Select(tensor => Input(tape, OptimizerNames.Gradient(tensor.Name), ElementType.Float, tensor.Dims)).ToArray();
        var norm = Norm(gradients);
        Output(norm.Cast(ElementType.Float), OptimizerNames.GradientNorm);

        var rate = Input(tape, OptimizerNames.LearningRate, ElementType.Float, []);
        var step = new StepNumbers(rate, Input(tape, OptimizerNames.Step, ElementType.Int64, []), norm, options);
        foreach (var (tensor, gradient) in tensors.Zip(gradients)) Move(tensor, gradient, step);
        return model;
    }

    private static void Move(OptimizedTensor tensor, Expr g, StepNumbers step)
    {
        var p = Input(g.Tape, tensor.Name, ElementType.Float, tensor.Dims);
        var m = Input(g.Tape, Mean.Input(tensor.Name), ElementType.Float, tensor.Dims);
        var v = Input(g.Tape, Square.Input(tensor.Name), ElementType.Float, tensor.Dims);

        m = (m * step.Beta1) + (g * step.MeanShare);
        v = (v * step.Beta2) + (g * g * step.SquareShare);
        p = (tensor.WeightDecay == 0 ? p : p * step.Kept(tensor)) - (m * step.Length(tensor) / (v.Sqrt() + step.Epsilon));

        Output(p, OptimizerNames.Next(tensor.Name));
        Output(m, OptimizerNames.Next(Mean.Input(tensor.Name)));
        Output(v, OptimizerNames.Next(Square.Input(tensor.Name)));
    }

    // √ Σ ‖g‖², summed over the tensors in double precision.
    private static Expr Norm(IReadOnlyList<Expr> gradients) =>
        gradients.Select(g => g.Apply("ReduceSumSquare", ("keepdims", 0)).Cast(ElementType.Double))
            .Aggregate((sum, square) => sum + square)
            .Sqrt();

    private static Expr Input(Tape tape, string name, ElementType type, IReadOnlyList<long> dims) =>
        tape[tape.Graph.AddInput(name, type, [.. dims.Select(size => new Dim(size))])];

    private static void Output(Expr e, string name)
    {
        e.Tape.Graph.Rename(e.Value, name);
        e.Tape.Graph.AddOutput(e.Value);
    }

    /// <summary>The numbers of one step, float scalars.</summary>
    private sealed class StepNumbers
    {
        private readonly Expr _rate;
        private readonly Expr _length;

        public StepNumbers(Expr rate, Expr step, Expr norm, AdamWOptions options)
        {
            var (tape, t) = (rate.Tape, step.Cast(ElementType.Double));
            var (beta1, beta2) = (tape.Scalar(options.Beta1, ElementType.Double), tape.Scalar(options.Beta2, ElementType.Double));
            var root = (1 - beta2.Apply("Pow", t)).Sqrt();
            var clip = options.Clip is { } limit
                ? (limit / (norm + ClipEpsilon)).Apply("Min", tape.Scalar(1, ElementType.Double))
                : tape.Scalar(1, ElementType.Double);
            _rate = rate.Cast(ElementType.Double);
            _length = _rate * root / (1 - beta1.Apply("Pow", t));
            (Beta1, Beta2) = (beta1.Cast(ElementType.Float), beta2.Cast(ElementType.Float));
            (MeanShare, SquareShare) = (Float((1 - beta1) * clip), Float((1 - beta2) * (clip * clip)));
            Epsilon = Float(root * options.Epsilon);
        }

        public Expr Beta1 { get; }

        public Expr Beta2 { get; }

        /// <summary>(1 − β₁) times the clip factor.</summary>
        public Expr MeanShare { get; }

        /// <summary>(1 − β₂) times the square of the clip factor.</summary>
        public Expr SquareShare { get; }

        /// <summary>ε·b.</summary>
        public Expr Epsilon { get; }

        /// <summary>ηb/(1 − β₁ᵗ).</summary>
        public Expr Length(OptimizedTensor tensor) => Float(_length.Scaled(tensor.LearningRateFactor));

        /// <summary>1 − ηλ.</summary>
        public Expr Kept(OptimizedTensor tensor) => Float(1 - (_rate * (tensor.LearningRateFactor * tensor.WeightDecay)));

        private static Expr Float(Expr e) => e.Cast(ElementType.Float);
    }
}

/// <summary>A tensor that the optimizer moves, and the settings of its group.</summary>
/// <param name="Name">Name of the tensor.</param>
/// <param name="Dims">Its dimensions.</param>
/// <param name="LearningRateFactor">What the step's learning rate is multiplied by for this tensor.</param>
/// <param name="WeightDecay">Decoupled weight decay λ ≥ 0.</param>
internal sealed record OptimizedTensor(string Name, IReadOnlyList<long> Dims, double LearningRateFactor = 1, double WeightDecay = 0);

/// <summary>Settings of AdamW that hold for all tensors.</summary>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of squared gradients.</param>
/// <param name="Epsilon">ε, added outside the root.</param>
/// <param name="Clip">Largest joint norm of all gradients; null: no limit.</param>
internal sealed record AdamWOptions(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double? Clip = null);
