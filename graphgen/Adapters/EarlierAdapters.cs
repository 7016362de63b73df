using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Losses;

namespace LoRTA.Onnx.GraphGen.Adapters;

/// <summary>Adapters that a file holds as side branches. One of them has the names of the contract, <c>factor.NAME</c> and <c>scale</c>;
/// those of others begin with <c>adapter1.</c>, <c>adapter2.</c>, ….</summary>
internal static class EarlierAdapters
{
    private const string Prefix = "adapter";

    /// <summary>Gives the contract's names free for another adapter: who has them goes on under the next prefix. Inputs stay
    /// inputs.</summary>
    /// <param name="model">The model, which is changed.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <exception cref="LortaException">LRT715: factors without values.</exception>
    public static void MakeRoom(OnnxModel model, string path)
    {
        CheckValues(model.Graph, path);
        var graph = model.Graph;
        var isAdapted = HasFactors(graph);
        var prefix = NextPrefix(graph);
        foreach (var value in graph.Values.Where(value => IsOfContract(value.Name) && !graph.IsKnownByName(value)).ToList())
            if (isAdapted || !value.IsInput) graph.Rename(value, prefix + value.Name);   // an input 'scale' may be the model's own
    }

    /// <summary>The same where the model's inputs must be those of the next adapter alone: what the file's adapters are made of becomes
    /// constants.</summary>
    /// <param name="model">The model, which is changed.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <exception cref="LortaException">LRT715: factors without values.</exception>
    public static void MakeConstant(OnnxModel model, string path)
    {
        MakeRoom(model, path);
        foreach (var input in model.Graph.Inputs.Where(input => Parse(input.Name).Prefix.Length > 0).ToList())
            model.Graph.RemoveInput(input);
    }

    /// <summary>What the names of another adapter begin with where those in the file stay: nothing, or the next prefix.</summary>
    /// <param name="model">The model.</param>
    /// <exception cref="LortaException">LRT715: factors without values.</exception>
    public static string PrefixIn(OnnxModel model)
    {
        CheckValues(model.Graph, model.Path);
        return HasFactors(model.Graph) ? NextPrefix(model.Graph) : string.Empty;
    }

    /// <summary>Whether one of the file's adapters has these numbers.</summary>
    /// <param name="graph">The deployed graph.</param>
    /// <param name="factors">The factors of an adapter, by name; asked only where the file holds any.</param>
    public static bool Hold(Graph graph, Func<IReadOnlyDictionary<string, OnnxTensor>> factors)
    {
        var held = graph.Initializers.Select(value => (Name: Parse(value.Name), value.Constant)).Where(value => IsFactor(value.Name.Own))
            .ToLookup(value => value.Name.Prefix, value => (TensorName.Parse(value.Name.Own).Name, value.Constant), StringComparer.Ordinal);
        if (held.Count == 0) return false;
        var given = factors();
        return held.Any(adapter => adapter.All(factor =>
            given.TryGetValue(factor.Name, out var tensor) && tensor.Dims.SequenceEqual(factor.Constant!.Dims)
            && tensor.Bytes.SequenceEqual(factor.Constant.Bytes)));
    }

    private static void CheckValues(Graph graph, string path)
    {
        if (graph.Inputs.FirstOrDefault(input => input.Constant is null && IsFactor(Parse(input.Name).Own)) is { } input)
            throw AdapterErrors.FactorsAreInputs(path, input.Name);
    }

    private static bool HasFactors(Graph graph) => graph.Values.Any(value => IsFactor(value.Name));

    private static bool IsOfContract(string name) => name == TrainingNames.Scale || IsFactor(name);

    private static bool IsFactor(string name) => TensorName.Parse(name).Kind == TensorKind.Factor;

    private static string NextPrefix(Graph graph)
    {
        var taken = graph.Values.Select(value => Parse(value.Name).Prefix).ToHashSet(StringComparer.Ordinal);
        var number = 1;
        while (taken.Contains($"{Prefix}{number}.")) number++;
        return $"{Prefix}{number}.";
    }

    // adapter2.factor.A: what an adapter's tensor is called, and the prefix in front.
    private static (string Prefix, string Own) Parse(string name)
    {
        var (kind, own) = TensorName.Parse(name);
        return kind.StartsWith(Prefix, StringComparison.Ordinal) && int.TryParse(kind.AsSpan(Prefix.Length), out _) && IsOfContract(own)
            ? ($"{kind}.", own)
            : (string.Empty, name);
    }
}
