namespace LoRTA.Onnx.GraphGen.Ir;

/// <summary>What the attributes of a convolution or a pool say of its windows, for each axis after batch and channels.</summary>
/// <param name="Strides">From one window to the next.</param>
/// <param name="Dilations">From one element of a window to the next.</param>
/// <param name="Front">Padding in front.</param>
/// <param name="Back">Padding behind.</param>
/// <param name="Padding">Where the padding follows from the sizes: the attribute <c>auto_pad</c>.</param>
internal sealed record WindowAttributes(long[] Strides, long[] Dilations, long[] Front, long[] Back, string Padding)
{
    /// <summary>Whether the padding is known without the sizes.</summary>
    public bool IsPaddingGiven => Padding is "NOTSET" or "VALID";

    /// <summary>Reads a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="axes">Number of axes.</param>
    /// <exception cref="LortaException">LRT121: other numbers of strides, dilations or pads.</exception>
    public static WindowAttributes Of(Node node, int axes)
    {
        var padding = node.String("auto_pad", "NOTSET");
        var pads = padding == "NOTSET" ? Given("pads", 2 * axes, 0, least: long.MinValue) : new long[2 * axes];
        return new(Given("strides", axes, 1, least: 1), Given("dilations", axes, 1, least: 1), pads[..axes], pads[axes..], padding);

        long[] Given(string name, int count, long otherwise, long least)
        {
            var given = node.Ints(name) ?? [.. Enumerable.Repeat(otherwise, count)];
            return given.Length == count && given.All(number => number >= least)
                ? given
                : throw ModelErrors.CannotInfer(node, $"{name} [{string.Join(", ", given)}] of {axes} axes");
        }
    }
}
