using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Optimizers;

/// <summary>AdamW (Loshchilov and Hutter, 2019, algorithm 2 with decoupled decay, as torch.optim.AdamW) as a graph of its own. Joint norm →
/// clip → step.</summary>
/// <remarks>
/// g ← g·clip factor; m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²; p ← p·(1 − ηλ) − η·m̂/(√v̂ + ε), m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ).
/// With b = √(1 − β₂ᵗ): η·m̂/(√v̂ + ε) = m·(ηb/(1 − β₁ᵗ)) / (√v + εb).
/// </remarks>
internal static class AdamW
{
    private static readonly OptimizerState Mean = new("first", "m");
    private static readonly OptimizerState Square = new("second", "v");

    /// <summary>What it keeps for each tensor: the running means of the gradient, m, and of its square, v.</summary>
    public static IReadOnlyList<OptimizerState> State => [Mean, Square];

    /// <summary>Makes the optimizer of some tensors.</summary>
    public static OnnxModel Build(IReadOnlyList<OptimizedTensor> tensors, AdamWOptions options)
    {
        var graph = new OptimizerGraph(OptimizerRule.AdamW, tensors, options.Clip);
        var step = new StepNumbers(graph, options);
        foreach (var (tensor, gradient) in graph.Moves) Move(graph, tensor, gradient, step);
        return graph.Model;
    }

    private static void Move(OptimizerGraph graph, OptimizedTensor tensor, Expr g, StepNumbers step)
    {
        using var scope = graph.Scope(tensor);
        var p = graph.Input(tensor.Name, tensor);
        var m = graph.Input(Mean.Input(tensor.Name), tensor);
        var v = graph.Input(Square.Input(tensor.Name), tensor);

        m = (m * step.Beta1) + (g * step.MeanShare);
        v = (v * step.Beta2) + (g * g * step.SquareShare);
        p = graph.Decayed(tensor, p) - (m * step.Length(tensor) / (v.Sqrt() + step.Epsilon));

        OptimizerGraph.Next(tensor.Name, p);
        OptimizerGraph.Next(Mean.Input(tensor.Name), m);
        OptimizerGraph.Next(Square.Input(tensor.Name), v);
    }

    /// <summary>The numbers of one step, float scalars.</summary>
    private sealed class StepNumbers
    {
        private readonly Expr _length;

        public StepNumbers(OptimizerGraph graph, AdamWOptions options)
        {
            var (t, clip) = (graph.Step.Cast(ElementType.Double), graph.Clip);
            var (beta1, beta2) = (graph.Scalar(options.Beta1), graph.Scalar(options.Beta2));
            var root = (1 - beta2.Apply("Pow", t)).Sqrt();
            _length = graph.Rate * root / (1 - beta1.Apply("Pow", t));
            (Beta1, Beta2) = (Float(beta1), Float(beta2));
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

        private static Expr Float(Expr e) => e.Cast(ElementType.Float);
    }
}

/// <summary>Settings of AdamW that hold for all tensors.</summary>
/// <param name="Beta1">Decay of the mean of gradients.</param>
/// <param name="Beta2">Decay of the mean of squared gradients.</param>
/// <param name="Epsilon">ε, added outside the root.</param>
/// <param name="Clip">Largest joint norm of all gradients; null: no limit.</param>
internal sealed record AdamWOptions(double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double? Clip = null);
