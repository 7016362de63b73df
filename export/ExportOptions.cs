using LoRTA.Onnx.Export.Folding;
using LoRTA.Onnx.GraphGen;
using LoRTA.Onnx.GraphGen.Canonical;

namespace LoRTA.Onnx.Export;

/// <summary>How an adapter is folded.</summary>
public sealed record ExportOptions
{
    /// <summary>Write weights that are stored narrower than they are used (fp16 behind a Cast) as float32 past the Cast.</summary>
    public bool Widen { get; init; }

    /// <summary>Leave the base's weights as they are and add the adapter as side branches.</summary>
    public bool KeepBase { get; init; }

    /// <summary>Accept a model whose weights are not those that the adapter was trained on.</summary>
    public bool AllowOtherBase { get; init; }
}

/// <summary>How much the stored types round a folded model.</summary>
/// <param name="Type">Narrowest form that folded weights are stored in.</param>
/// <param name="Bits">Its bits.</param>
/// <param name="Weights">Number of weights that were rounded.</param>
/// <param name="MaxAbs">Largest |stored − exact| of any weight.</param>
/// <param name="MaxRel">The same, relative to the weight's largest number.</param>
public sealed record Rounding(string Type, int Bits, int Weights, double MaxAbs, double MaxRel);

/// <summary>A model with an adapter folded in, not yet written.</summary>
/// <param name="Model">The deployed graph with its changed weights, which are computed when they are written.</param>
public sealed record FoldedModel(OnnxModel Model)
{
    private readonly List<(IReadOnlyDictionary<string, SecondMoments>? Moments, CanonicalModel Model)> _canonical = [];

    /// <summary>Bits of the narrowest form that folded weights are stored in; 32 where nothing is rounded.</summary>
    public int Bits { get; internal init; } = 32;

    /// <summary>How low-bit weights are rounded: each number to the nearest code, until something else is chosen.</summary>
    internal RoundingChoice Choice { get; init; } = new();

    /// <summary>Its training copy, as its weights are rounded now: made once for each way of rounding, and not changed.</summary>
    public CanonicalModel Canonical
    {
        get
        {
            if (_canonical.FirstOrDefault(made => made.Moments == Choice.Moments).Model is { } made) return made;
            _canonical.Add((Choice.Moments, CanonicalModel.Of(Model)));
            return _canonical[^1].Model;
        }
    }

    /// <summary>Rounds all low-bit weights as was chosen; those that were not rounded by then are when they are first asked
    /// for.</summary>
    internal Action Round { get; init; } = () => { };

    /// <summary>What the stored types round; asks each weight, and makes those that were not written yet.</summary>
    public Func<Rounding?> Rounding { get; internal init; } = () => null;

    /// <summary>Whether the adapter leaves every number of the base as it is; asks each weight, too.</summary>
    public Func<bool> IsBase { get; internal init; } = () => false;

    /// <summary>Writes the model: its file, and beside it that of its data where it has one.</summary>
    /// <param name="path">The file, usually <c>.onnx</c>; an existing one is replaced.</param>
    /// <exception cref="LortaException">LRT104: it cannot be written; LRT701: it is a file that the model reads.</exception>
    public void Save(string path) => Model.Save(path);
}
