using System.Numerics.Tensors;
using LoRTA.Onnx.GraphGen.Adapters;
using LoRTA.Onnx.GraphGen.Adapters.Planning;
using LoRTA.Onnx.GraphGen.Adapters.Stored;
using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.GraphGen.Ir;
using LoRTA.Onnx.GraphGen.Ir.Storage;
using LoRTA.Onnx.GraphGen.Parameters;

namespace LoRTA.Onnx.GraphGen;

/// <summary>An adapter on disk: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>, and a <c>README.md</c> for
/// people.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Config">What the factors mean.</param>
/// <param name="Tensors">Factors by name; the model's own trained parameters as <c>param.&lt;name&gt;</c>.</param>
public sealed record Adapter(string Path, AdapterConfig Config, IReadOnlyDictionary<string, OnnxTensor> Tensors)
{
    internal const string ConfigFile = "adapter_config.json";
    internal const string TensorFile = "adapter_model.safetensors";

    /// <summary>What was measured with it, for its card.</summary>
    internal IReadOnlyList<(string Name, string Value)> Measured { get; init; } = [];

    /// <summary>Whether it folds into the model's weights, for its card.</summary>
    internal bool Folds { get; init; } = true;

    /// <summary>Opens an adapter folder.</summary>
    /// <exception cref="LortaException">LRT101, LRT105, LRT309, LRT313: missing or damaged.</exception>
    public static Adapter Load(string folder)
    {
        var config = System.IO.Path.Combine(folder, ConfigFile);
        var (stated, tensors) = ReadTogether(config, System.IO.Path.Combine(folder, TensorFile));
        var adapter = new Adapter(folder, stated, tensors);
        var (listed, held) = (adapter.Config.Trainables.ToHashSet(StringComparer.Ordinal),
            adapter.Parameters.Keys.ToHashSet(StringComparer.Ordinal));
        if (listed.FirstOrDefault(name => !held.Contains(name)) is { } missing)
            throw AdapterErrors.FactorMissing(adapter.TensorPath, new TensorName(TensorKind.Parameter, missing));
        if (held.FirstOrDefault(name => !listed.Contains(name)) is { } unlisted)
            throw AdapterErrors.BadConfig(config, $"its trainables leave out '{unlisted}', which {TensorFile} holds");
        return adapter;
    }

    // A training run may put a newer adapter in place between the two files; then both are read again.
    private static (AdapterConfig Config, IReadOnlyDictionary<string, OnnxTensor> Tensors) ReadTogether(string config, string tensorFile)
    {
        for (var text = ReadConfig(config); ;)
        {
            var stated = AdapterConfig.Parse(config, text);
            var tensors = Safetensors.Load(tensorFile).Tensors;
            var hash = stated.Sha256 is null ? null : FileHash.Sha256(tensorFile);
            var again = ReadConfig(config);
            if (again != text) text = again;
            else if (hash is null || hash.Equals(stated.Sha256, StringComparison.OrdinalIgnoreCase)) return (stated, tensors);
            else throw AdapterErrors.OtherHash(tensorFile, stated.Sha256!);
        }
    }

    private static string ReadConfig(string config) =>
        RealPath.HasFile(config) ? File.ReadAllText(config) : throw FileErrors.NotFound(config);

    /// <summary>Whether an adapter folder holds a file of that name.</summary>
    /// <param name="name">The name.</param>
    public static bool IsFile(string name) => name is ConfigFile or TensorFile or ModelCard.FileName;

    /// <summary>The files of an adapter folder that are read.</summary>
    internal static IEnumerable<string> FilesOf(string folder) =>
        [System.IO.Path.Combine(folder, ConfigFile), System.IO.Path.Combine(folder, TensorFile)];

    /// <summary>Writes an adapter folder, whole or not at all.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="LortaException">LRT104: cannot be written; LRT107: the folder holds other files.</exception>
    public void Save(string folder) => (this with { Path = folder }).Save();

    /// <summary>Writes the folder it is of, whole or not at all.</summary>
    /// <exception cref="LortaException">LRT104: cannot be written; LRT107: the folder holds other files.</exception>
    public void Save() => AtomicFolder.Write(Path, IsFile, Fill);

    /// <summary>Writes the folder and the model that has this adapter as side branches: both or neither, and never one of them beside
    /// an older other.</summary>
    internal void SaveWith(OnnxModel injected, string path) =>
        AtomicFolder.Write(Path, IsFile, Fill, place => ModelWriter.Save(injected, path, placeCompanion: place));

    private void Fill(string folder)
    {
        var tensors = System.IO.Path.Combine(folder, TensorFile);
        Safetensors.Save(tensors, Tensors);
        AtomicFile.WriteText(System.IO.Path.Combine(folder, ConfigFile), (Config with { Sha256 = FileHash.Sha256(tensors) }).ToJson());
        AtomicFile.WriteText(System.IO.Path.Combine(folder, ModelCard.FileName), ModelCard.OfAdapter(this));
    }

    /// <summary>Refuses an adapter of which a part would not be applied.</summary>
    /// <exception cref="LortaException">LRT313: tensors that the plan does not name.</exception>
    internal void CheckNames(AdapterPlan plan)
    {
        var named = plan.Factors.Select(factor => factor.Name).ToHashSet(StringComparer.Ordinal);
        var others = Tensors.Keys.Where(name => !named.Contains(name) && TensorName.Parse(name).Kind != TensorKind.Parameter)
            .Order(StringComparer.Ordinal).ToList();
        if (others.Count > 0) throw AdapterErrors.UnknownTensors(TensorPath, others);
    }

    /// <summary>An adapter as it is stored: factors that are not trained are left out where the seed draws them again.</summary>
    /// <param name="plan">The adapter.</param>
    /// <param name="baseModel">The model that it belongs to.</param>
    /// <param name="tensors">All factors, and parameters of the model that were trained alongside the adapter.</param>
    /// <param name="seed">The seed of factors that were drawn.</param>
    internal static Adapter Of(AdapterPlan plan, BaseModel baseModel, IReadOnlyDictionary<string, OnnxTensor> tensors, long seed)
    {
        var drawn = plan.Options.SaveFrozen
            ? []
            : plan.Factors.Where(factor => !factor.IsTrained && factor.Draw(seed).Bytes.SequenceEqual(tensors[factor.Name].Bytes))
                .Select(factor => factor.Name)
                .ToHashSet(StringComparer.Ordinal);
        var config = AdapterConfig.Of(plan, baseModel) with
        {
            Frozen = drawn.Count == 0 ? null : new FrozenFactors(seed, FrozenFactors.Lorta1),
        };
        return new Adapter(string.Empty, config,
            tensors.Where(pair => !drawn.Contains(pair.Key)).ToDictionary(StringComparer.Ordinal));
    }

    /// <summary>The values of a plan's factors, checked.</summary>
    /// <exception cref="LortaException">LRT308 wrong shape; LRT309 missing; LRT313 no finite floats.</exception>
    internal IReadOnlyDictionary<string, OnnxTensor> FactorsOf(AdapterPlan plan) =>
        plan.Factors.ToDictionary(factor => factor.Name, ValueOf, StringComparer.Ordinal);

    private OnnxTensor ValueOf(Factor factor) =>
        !factor.IsTrained && Config.Frozen is { } frozen && !Tensors.ContainsKey(factor.Name)
            ? factor.Draw(frozen.Seed)
            : Checked(TensorPath, factor, Tensors.GetValueOrDefault(factor.Name));

    /// <summary>What it gives the inputs of a graph: factors and parameters of the model, by their names in its file.</summary>
    /// <exception cref="LortaException">LRT308 wrong shape; LRT309 missing; LRT313 no finite floats.</exception>
    internal IReadOnlyDictionary<string, OnnxTensor> ValuesFor(AdapterPlan plan) =>
        FactorsOf(plan).Concat(Tensors.Where(pair => TensorName.Parse(pair.Key).Kind == TensorKind.Parameter))
            .ToDictionary(StringComparer.Ordinal);

    /// <summary>The model's own parameters that were trained alongside the adapter, by their name in the model, checked against
    /// it.</summary>
    /// <param name="deployed">The model.</param>
    /// <param name="names">Its parameters; asked for only where the adapter holds some.</param>
    /// <exception cref="LortaException">LRT307 the model has none of that name; LRT308 wrong shape; LRT313 no finite floats.</exception>
    internal IReadOnlyDictionary<string, OnnxTensor> ParametersOf(OnnxModel deployed, Lazy<IReadOnlyList<ParameterName>> names) =>
        Parameters.ToDictionary(
            pair => pair.Key,
            pair => Checked(
                TensorPath,
                new TensorName(TensorKind.Parameter, pair.Key),
                ParameterShapes.Of(deployed, names.Value, pair.Key) ?? throw ParameterErrors.NoMatch(pair.Key, []),
                pair.Value),
            StringComparer.Ordinal);

    private string TensorPath => System.IO.Path.Combine(Path, TensorFile);

    private Dictionary<string, OnnxTensor> Parameters => Tensors
        .Where(pair => TensorName.Parse(pair.Key).Kind == TensorKind.Parameter)
        .ToDictionary(pair => TensorName.Parse(pair.Key).Name, pair => pair.Value, StringComparer.Ordinal);

    internal static OnnxTensor Checked(string file, Factor factor, OnnxTensor? tensor) => Checked(file, factor.Name, factor.Dims, tensor);

    /// <summary>A tensor of a file as float32, if it is there, of that shape, and holds finite floats.</summary>
    internal static OnnxTensor Checked(string file, string name, IReadOnlyList<long> dims, OnnxTensor? tensor)
    {
        if (tensor is null) throw AdapterErrors.FactorMissing(file, name);
        if (!tensor.Dims.SequenceEqual(dims))
            throw AdapterErrors.FactorShape(file, name, $"[{string.Join(", ", dims)}]", $"[{string.Join(", ", tensor.Dims)}]");
        if (!tensor.Type.IsFloat()) throw AdapterErrors.BadConfig(file, $"'{name}' holds {tensor.Type.Display()}, not floats");
        var values = tensor.ToFloats();
        if (values.Length > 0 && !float.IsFinite(TensorPrimitives.MaxMagnitude<float>(values)))
            throw AdapterErrors.BadConfig(file, $"'{name}' holds numbers that are not finite");
        return tensor.Type == ElementType.Float ? tensor : OnnxTensor.Of<float>([.. tensor.Dims], values);
    }
}
