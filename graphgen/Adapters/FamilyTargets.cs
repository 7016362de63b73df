using LoRTA.Onnx.GraphGen.Messages;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>The places that a family adapts, as recipes name them under <c>adapter.targets</c>.</summary>
public sealed record FamilyTargets
{
    private static readonly FamilyTarget[] Matrices =
        [.. new[] { "q", "k", "v", "p", "gate", "up", "down" }.Select(matrix => new FamilyTarget(matrix, matrix))];

    // What models and other tools call the matrices.
    private static readonly Dictionary<string, string> OtherNames = new[]
    {
        ("q", "q_proj q_lin query wq"),
        ("k", "k_proj k_lin key wk"),
        ("v", "v_proj v_lin value wv"),
        ("p", "o o_proj out_proj out_lin c_proj wo proj"),
        ("gate", "gate_proj w1 wi_0"),
        ("up", "up_proj w3 wi_1 fc1 fc_in c_fc lin1 dense_h_to_4h intermediate.dense"),
        ("down", "down_proj w2 fc2 fc_out lin2 dense_4h_to_h output.dense"),
        ("attention", "attn self_attn qkvo qkvp"),
        ("mlp", "ffn feed_forward"),
        ("all-linear", "all all_linear linear"),
    }.SelectMany(target => target.Item2.Split(' ').Select(name => KeyValuePair.Create(name, target.Item1)))
        .ToDictionary(StringComparer.Ordinal);

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

    /// <summary>The same as a sentence to be added to another.</summary>
    internal string SentenceFor(string word) => Suggestion.Sentence(word, Words, OtherNames);

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
