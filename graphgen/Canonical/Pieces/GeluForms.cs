using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Patterns;
using static LoRTA.Onnx.GraphGen.Patterns.Patterns;

namespace LoRTA.Onnx.GraphGen.Canonical.Pieces;

/// <summary>x·Φ(x) in pieces becomes <c>Gelu</c>: ½·x·(1 + erf(x/√2)), multiplied in any order.</summary>
internal static class GeluForms
{
    public static readonly Form[] All = [new Replace("gelu in pieces", "Mul", Gelu), new Replace("gelu in pieces", "Div", Gelu)];

    private static readonly Pattern X = Hole("x");
    private static readonly Pattern OnePlusErf = Op(
        "Add", Op("Erf", Op("Div", X, Number(Math.Sqrt(2))) | Op("Mul", X, Number(Math.Sqrt(0.5)))), Number(1));

    private static readonly Pattern Pieces =
        Op("Mul", X, Op("Mul", OnePlusErf, Number(0.5))) |
        Op("Mul", Op("Mul", X, Number(0.5)), OnePlusErf) |
        Op("Mul", Op("Mul", X, OnePlusErf), Number(0.5)) |
        Op("Mul", X, Op("Div", OnePlusErf, Number(2))) |
        Op("Div", Op("Mul", X, OnePlusErf), Number(2));

    private static Outcome Gelu(Node node, Rewriting rewriting)
    {
        if (Pieces.Match(node.Output) is not { } match || match["x"].Type != ElementType.Float)
            return "it is not x·Φ(x) of float32 in one of the known spellings";
        rewriting.Replace(node, "Gelu", [match["x"]], ("approximate", "none"));
        return Outcome.Done;
    }
}
