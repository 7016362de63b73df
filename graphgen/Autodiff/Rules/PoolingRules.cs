using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Tensors;

namespace LoRTA.Onnx.GraphGen.Autodiff.Rules;

/// <summary>Rules of pools. Notation: x [N, C, L..] input, y output, g = ∂loss/∂y.</summary>
internal static class PoolingRules
{
    public static readonly GradientRule[] All =
    [
        // Where each maximum came from is an output of the operator, as index into all of x.
        new("MaxPool", r =>
        {
            if (r.Flag("storage_order")) throw r.Refusal("its indices count columns first (storage_order)");
            return [IndexingRules.AtPositions(r, r.Output(1))];
        }),

        // y = Σ x/n  ⇒  x̄ = g/n at every place under the window. How many places count shows on ones: their sum over their average.
        new("AveragePool", r =>
        {
            var windows = Windows.Of(r, r.Ints("kernel_shape")!, r.X);
            if (windows.Pads.All(pad => pad == 0) && !r.Flag("ceil_mode"))
                return [windows.Spread(r.G / windows.Kernel.Size(), r.X)];
            var ones = r.Tape.Scalar(1, r.X.Type).ExpandLike(r.X);
            var sums = r.Tape.Op("LpPool", [ones], ("p", 1), ("kernel_shape", windows.Kernel), ("strides", windows.Strides),
                ("dilations", windows.Dilations), ("pads", windows.Pads), ("ceil_mode", r.Int("ceil_mode", 0)));
            return [windows.Spread(r.G * r.Again(ones) / sums, r.X)];
        }),

        // y = (Σ |x|ᵖ)^(1/p)  ⇒  x̄ = sign x·|x|ᵖ⁻¹·(g·y¹⁻ᵖ at every place under the window)
        new("LpPool", r => [Powers(r) * Windows.Of(r, r.Ints("kernel_shape")!, r.X).Spread(r.G * OfOutput(r), r.X)]),
        new("GlobalLpPool", r => [Powers(r) * (r.G * OfOutput(r))]),
        new("GlobalAveragePool", r => [(r.G * r.Y.Size().Cast(r.G.Type) / r.X.Size().Cast(r.G.Type)).ExpandLike(r.X)]),

        // The elements that reach the maximum share the gradient.
        new("GlobalMaxPool", r =>
        {
            var hits = r.X.Apply("Equal", r.Y).Cast(r.G.Type);
            return [hits * (r.G / hits.Sum([.. Enumerable.Range(2, r.X.Rank - 2).Select(axis => (long)axis)]))];
        }),
    ];

    // sign x·|x|ᵖ⁻¹
    private static Expr Powers(GradientCall r)
    {
        var p = r.Int("p", 2);
        return p == 2 ? r.X : r.X.Apply("Sign") * r.X.Apply("Abs").Apply("Pow", r.Tape.Scalar(p - 1, r.X.Type));
    }

    // y¹⁻ᵖ, where y is not 0
    private static Expr OfOutput(GradientCall r) =>
        r.Y.Apply("Max", r.Tape.Scalar(1e-30, r.Y.Type)).Apply("Pow", r.Tape.Scalar(1 - r.Int("p", 2), r.Y.Type));
}
