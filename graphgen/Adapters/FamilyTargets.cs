namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>The places that a family adapts, as recipes name them under <c>adapter.targets</c>.</summary>
public sealed record FamilyTargets
{
    private static readonly FamilyTarget[] Matrices =
        [.. new[] { "q", "k", "v", "p", "gate", "up", "down" }.Select(matrix => new FamilyTarget(matrix, matrix))];

    // What models and other tools call the matrices.
    private static readonly Dictionary<string, string> OtherNames = new(StringComparer.Ordinal)
    {
        ["q_proj"] = "q", ["q_lin"] = "q", ["query"] = "q", ["wq"] = "q",
        ["k_proj"] = "k", ["k_lin"] = "k", ["key"] = "k", ["wk"] = "k",
        ["v_proj"] = "v", ["v_lin"] = "v", ["value"] = "v", ["wv"] = "v",
        ["o"] = "p", ["o_proj"] = "p", ["out_proj"] = "p", ["out_lin"] = "p", ["c_proj"] = "p", ["wo"] = "p", ["proj"] = "p",
        ["gate_proj"] = "gate", ["w1"] = "gate", ["wi_0"] = "gate",
        ["up_proj"] = "up", ["w3"] = "up", ["wi_1"] = "up", ["fc1"] = "up", ["fc_in"] = "up", ["c_fc"] = "up", ["lin1"] = "up",
        ["dense_h_to_4h"] = "up", ["intermediate.dense"] = "up",
        ["down_proj"] = "down", ["w2"] = "down", ["fc2"] = "down", ["fc_out"] = "down", ["lin2"] = "down",
        ["dense_4h_to_h"] = "down", ["output.dense"] = "down",
        ["attn"] = "attention", ["self_attn"] = "attention", ["qkvo"] = "attention", ["qkvp"] = "attention",
        ["ffn"] = "mlp", ["feed_forward"] = "mlp",
        ["all"] = "all-linear", ["all_linear"] = "all-linear", ["linear"] = "all-linear",
    };

    /// <summary>The linear layers of attention (q k v p) and of the feed-forward part (gate up down), and groups of them: most families
    /// act on any.</summary>
    public static FamilyTargets LinearLayers { get; } = new()
    {
        All = Matrices,
        Defaults = ["q", "k", "v", "p"],
        Groups = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
        {
            ["attention"] = ["q", "k", "v", "p"],
            ["mlp"] = ["gate", "up", "down"],
            ["all-linear"] = ["q", "k", "v", "p", "gate", "up", "down"],
        },
    };

    /// <summary>Every single name.</summary>
    public required IReadOnlyList<FamilyTarget> All { get; init; }

    /// <summary>What is adapted where a recipe names nothing.</summary>
    public required IReadOnlyList<string> Defaults { get; init; }

    /// <summary>Names that stand for several.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Groups { get; init; } =
        new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);

    /// <summary>Whether the names are patterns on the model's own parameters, which the family trains, instead of linear layers.</summary>
    public bool AreParameters { get; init; }

    /// <summary>Whether the family acts on the attention of each layer (<see cref="IAdapterFamily.Preceding"/>), whose keys and values
    /// the names stand for.</summary>
    public bool AreAttention { get; init; }

    /// <summary>The attention of a layer, to be named as a whole: what comes before its keys and values.</summary>
    public static FamilyTargets Attention { get; } = Of(new("k", "k"), new("v", "v")) with { AreAttention = true };

    /// <summary>Places of a family's own names, all of them adapted by default.</summary>
    /// <param name="targets">Each with the matrix that it stands for: (<c>ffn</c>, <c>down</c>).</param>
    public static FamilyTargets Of(params IReadOnlyList<FamilyTarget> targets) =>
        new() { All = targets, Defaults = [.. targets.Select(target => target.Name)] };

    /// <summary>The model's own parameters.</summary>
    /// <param name="patterns">Those that are trained by default; <c>*</c> stands for any characters.</param>
    public static FamilyTargets Parameters(params IReadOnlyList<string> patterns) =>
        new() { All = [], Defaults = patterns, AreParameters = true };

    /// <summary>The words that a recipe may use, for messages.</summary>
    internal IEnumerable<string> Words => All.Select(target => target.Name).Concat(Groups.Keys);

    /// <summary>The start of a hint for a word that names nothing here: <c>Did you mean 'p'? </c>, or nothing.</summary>
    internal static string HintFor(string word, IEnumerable<string> known) => Suggestion.Hint(word, known, OtherNames);

    /// <summary>Whether a word names places of the family.</summary>
    internal bool Has(string word) => AreParameters || Groups.ContainsKey(word) || All.Any(target => target.Name == word);

    /// <summary>The single names that words stand for, each once.</summary>
    internal IReadOnlyList<string> Expand(IEnumerable<string> words) =>
        [.. words.SelectMany(word => Groups.TryGetValue(word, out var names) ? names : [word]).Distinct(StringComparer.Ordinal)];

    /// <summary>The matrix that a single name stands for.</summary>
    internal string MatrixOf(string name) => All.First(target => target.Name == name).Matrix;
}

/// <summary>A place that a family adapts in each layer.</summary>
/// <param name="Name">Its name in recipes, and in the names of its factors: <c>layers.3.ffn.scale</c>.</param>
/// <param name="Matrix">The linear layer: q, k, v, p (the attention's output projection), gate, up or down (whose output joins the
/// residual stream). What follows the output of a block acts on p or down.</param>
public sealed record FamilyTarget(string Name, string Matrix);
