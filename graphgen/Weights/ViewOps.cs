using System.Collections.Frozen;
using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Weights;

/// <summary>The operators that show a tensor in another way: the one list of them.</summary>
internal static class ViewOps
{
    private static readonly FrozenDictionary<string, ViewEffect> Effects = new Dictionary<string, ViewEffect>(StringComparer.Ordinal)
    {
        ["Identity"] = ViewEffect.Nothing,
        ["Cast"] = ViewEffect.Type,
        ["CastLike"] = ViewEffect.Type,
        ["DequantizeLinear"] = ViewEffect.Codes,
        [OrtOps.DequantizeLinear] = ViewEffect.Codes,
        ["QuantizeLinear"] = ViewEffect.Rounding,
        [OrtOps.QuantizeLinear] = ViewEffect.Rounding,
        ["Transpose"] = ViewEffect.Axes,
        ["Reshape"] = ViewEffect.Shape,
        ["Squeeze"] = ViewEffect.Shape,
        ["Unsqueeze"] = ViewEffect.Shape,
        ["Flatten"] = ViewEffect.Shape,
        ["Mul"] = ViewEffect.Scale,
        ["Div"] = ViewEffect.Scale,
        ["Sub"] = ViewEffect.ZeroPoint,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What an operator does to its first input; null where it is no view.</summary>
    public static ViewEffect? EffectOf(Node? node) => node is not null && Effects.TryGetValue(node.Op, out var effect) ? effect : null;

    /// <summary>Whether an operator gives the elements of its first input another order, another shape, or both.</summary>
    public static bool Moves(Node? node) => EffectOf(node) is ViewEffect.Axes or ViewEffect.Shape;

    /// <summary>Whether an operator leaves the numbers of its first input as they are, whatever their type and place.</summary>
    public static bool KeepsNumbers(Node? node) => Moves(node) || EffectOf(node) is ViewEffect.Nothing or ViewEffect.Type;

    /// <summary>The operators that do one thing.</summary>
    public static IEnumerable<string> OpsWith(ViewEffect effect) =>
        Effects.Where(view => view.Value == effect).Select(view => view.Key).Order(StringComparer.Ordinal);
}

/// <summary>What a view changes.</summary>
internal enum ViewEffect
{
    Nothing,

    /// <summary>The element type.</summary>
    Type,

    /// <summary>The order of the axes.</summary>
    Axes,

    /// <summary>The sizes; the order of the elements stays.</summary>
    Shape,

    /// <summary>Low-bit codes become numbers.</summary>
    Codes,

    /// <summary>Numbers become codes: what is stored is not what is computed with.</summary>
    Rounding,

    /// <summary>Each number is multiplied or divided by a stored one.</summary>
    Scale,

    /// <summary>A zero point is taken from codes.</summary>
    ZeroPoint,
}
