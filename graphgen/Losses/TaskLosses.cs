using LoRTA.Onnx.GraphGen.Ir;

namespace LoRTA.Onnx.GraphGen.Losses;

/// <summary>The losses of this project, and how a loss is found in a catalog. Users add theirs to a <see cref="LortaCatalog"/>, not
/// here.</summary>
internal static class TaskLosses
{
    /// <summary>Name of the graph input that takes the labels.</summary>
    public const string Labels = "labels";

    /// <summary>The label of a position that does not count.</summary>
    public const long Ignored = -100;

    /// <summary>All losses that come with the project, in the order of help and messages; what chooses one asks a catalog.</summary>
    public static readonly IReadOnlyList<ILoss> All =
    [
        new CausalLm(), new TokenClassification("masked-lm"), new Classification(), new Regression(),
        new TokenClassification("token-classification"), new NamedLoss(),
    ];

    /// <summary>The loss of a name.</summary>
    /// <exception cref="LortaException">LRT411: there is none.</exception>
    public static ILoss LossOf(this LortaCatalog catalog, string name) =>
        catalog.Losses.FirstOrDefault(loss => loss.Name == name)
            ?? throw LossErrors.UnknownTask(name, catalog.Losses.Select(loss => loss.Name));

    /// <summary>Writes a loss.</summary>
    /// <param name="loss">The loss.</param>
    /// <param name="tape">Where to write; the outputs of its graph are the model's, with their shapes inferred.</param>
    /// <param name="output">Name of the output that the loss is of; null: the one that fits.</param>
    /// <exception cref="LortaException">LRT412: no output fits.</exception>
    public static LossValue Write(this ILoss loss, Tape tape, string? output = null)
    {
        var written = loss.Emit(new LossCall(tape, loss.Name, output));
        return written.Loss.Type.IsFloat() && written.Loss.Value.Shape is { Rank: 0 }
            ? written
            : throw new InvalidOperationException($"The loss '{loss.Name}' is {written.Loss.Value}, not a scalar of floats.");
    }

    /// <summary>How many labels [B, S] are predicted by the token before them.</summary>
    internal static long CountNextTokens(OnnxTensor labels)
    {
        var (ids, length) = (labels.ToLongs(), labels.Dims[1]);
        return ids.Where((_, i) => i % length > 0).LongCount(label => label != Ignored);
    }
}
